// The jobs on this repository, all of them by its Jenkinsfile: what that does
// depends on TASK, CLUSTER and REF, which the build of a branch doesn't have.
// docs/pipeline.md explains them.

// Pull requests are checked and planned, what reaches main is deployed. Only pull
// requests from branches of this repository are built: builds hold the credentials
// of those who may deploy.
if (%(followsMain)s) {
    multibranchPipelineJob('platform') {
        displayName('Platform')
        branchSources {
            branchSource {
                source {
                    github {
                        id('platform')
                        apiUri('%(api)s')
                        repoOwner('%(owner)s')
                        repository('%(name)s')
                        repositoryUrl('%(repository)s')
                        configuredByUrl(false)
                        credentialsId('forge')
                        traits {
                            // Branches without a pull request, and pull requests as they
                            // would be merged.
                            gitHubBranchDiscovery { strategyId(1) }
                            gitHubPullRequestDiscovery { strategyId(1) }
                            headWildcardFilter {
                                includes('main PR-*')
                                excludes('')
                            }
                        }
                    }
                }
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
}

def onClusters = { String name, String text, String schedule, List<String> choices, boolean fromCommit ->
    pipelineJob(name) {
        description(text)
        parameters {
            stringParam('TASK', name, 'What the Jenkinsfile does.')
            choiceParam('CLUSTER', choices, 'The cluster that it does it to.')
            if (fromCommit) {
                stringParam('REF', 'main', 'The commit, tag or branch that says what the cluster is.')
            }
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
                        remote {
                            url('%(repository)s')
                            credentials('forge')
                        }
                        branch('main')
                    }
                }
            }
        }
    }
}

onClusters('deploy', 'Makes clusters what the main branch says.', '', [%(deployable)s], false)
if ([%(rebuildable)s]) {
    onClusters('rebuild', 'Brings a lost cluster back from git. Asks first.', '', [%(rebuildable)s], true)
}
if (%(followsMain)s) {
    onClusters('nightly', 'Reports where clusters have left git.', 'H 2 * * *', ['all'], false)
    onClusters('sync', 'Brings the clusters to the versions that git wants, one after the other. Asks first.', '', ['all'], false)
}
