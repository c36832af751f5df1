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

def job = { String name, String text, String task, String cron, List<String> clusters ->
    pipelineJob(name) {
        description(text)
        parameters {
            stringParam('TASK', task, 'What the Jenkinsfile does.')
            choiceParam('CLUSTER', clusters, 'The cluster that it does it to.')
        }
        properties {
            disableConcurrentBuilds()
            if (cron) {
                pipelineTriggers { triggers { cron { spec(cron) } } }
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

job('deploy', 'Makes a cluster what the main branch says.', 'deploy', '', [%(clusters)s])
job('nightly', 'Reports where clusters have left git.', 'nightly', 'H 2 * * *', ['all'])
