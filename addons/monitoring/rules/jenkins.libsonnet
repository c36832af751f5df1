// Builds.
function(alert) [
  {
    name: 'jenkins',
    rules: [
      alert('JenkinsDown', 'absent(up{app_kubernetes_io_name="jenkins"} == 1)', '10m', 'warning', 'Jenkins does not answer.'),
      alert('JenkinsQueueLong', 'sum by (namespace) (default_jenkins_queue_size_value) > 5', '30m', 'warning', '{{ $value }} builds of {{ $labels.namespace }} have been waiting for half an hour.'),
      alert('JenkinsBuildFailed', 'default_jenkins_builds_last_build_result_ordinal{jenkins_job=~"deploy.*|nightly.*"} > 0', '0m', 'warning', 'The last build of {{ $labels.jenkins_job }} failed.'),
    ],
  },
]
