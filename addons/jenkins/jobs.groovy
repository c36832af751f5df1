// The jobs on this repository, all of them by its Jenkinsfile: what it does
// depends on TASK (test, deploy or nightly) and CLUSTER.

// Every branch is tested.
multibranchPipelineJob('platform') {
    displayName('Platform')
    branchSources {
        git {
            id('platform')
            remote('%(repository)s')
        }
    }
    factory {
        workflowBranchProjectFactory {
            scriptPath('Jenkinsfile')
        }
    }
    triggers {
        periodicFolderTrigger { interval('5m') }
    }
    orphanedItemStrategy {
        discardOldItems { daysToKeep(14) }
    }
}

def onCluster = { String name, String text, String task, String schedule, List<String> choices ->
    pipelineJob(name) {
        description(text)
        parameters {
            stringParam('TASK', task, 'What the Jenkinsfile does.')
            choiceParam('CLUSTER', choices, 'The cluster that it does it to.')
        }
        properties {
            disableConcurrentBuilds()
            if (schedule) {
                pipelineTriggers { triggers { cron { spec(schedule) } } }
            }
        }
        logRotator { daysToKeep(90) }
        definition {
            cpsScm {
                lightweight(true)
                scriptPath('Jenkinsfile')
                scm {
                    git {
                        remote { url('%(repository)s') }
                        branch('main')
                    }
                }
            }
        }
    }
}

onCluster('deploy', 'Makes a cluster what the main branch says.', 'deploy', '', [%(clusters)s])
onCluster('nightly', 'Reports where clusters have left git.', 'nightly', 'H 2 * * *', ['all'])
