// What runs in the cluster.
function(alert) [
  {
    name: 'pods',
    rules: [
      alert('PodCrashLooping', 'max_over_time(kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"}[5m]) >= 1', '15m', 'warning', 'Container {{ $labels.container }} of {{ $labels.namespace }}/{{ $labels.pod }} keeps ending.'),
      alert('PodNotReady', 'sum by (namespace, pod) (max by (namespace, pod) (kube_pod_status_phase{phase=~"Pending|Unknown"}) * on (namespace, pod) group_left (owner_kind) max by (namespace, pod, owner_kind) (kube_pod_owner{owner_kind!="Job"})) > 0', '15m', 'warning', '{{ $labels.namespace }}/{{ $labels.pod }} has not been running for 15 minutes.'),
      alert('PodOutOfMemory', 'increase(kube_pod_container_status_restarts_total[15m]) > 0 and on (namespace, pod, container) kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} == 1', '0m', 'warning', 'Container {{ $labels.container }} of {{ $labels.namespace }}/{{ $labels.pod }} was ended for using too much memory.'),
      alert('DeploymentIncomplete', 'kube_deployment_spec_replicas != kube_deployment_status_replicas_available', '15m', 'warning', '{{ $labels.namespace }}/{{ $labels.deployment }} does not have the replicas that it should.'),
      alert('StatefulSetIncomplete', 'kube_statefulset_replicas != kube_statefulset_status_replicas_ready', '15m', 'warning', '{{ $labels.namespace }}/{{ $labels.statefulset }} does not have the replicas that it should.'),
      alert('DaemonSetIncomplete', 'kube_daemonset_status_desired_number_scheduled - kube_daemonset_status_number_ready > 0', '15m', 'warning', '{{ $labels.namespace }}/{{ $labels.daemonset }} misses {{ $value }} pods.'),
      alert('JobFailed', 'kube_job_failed > 0', '15m', 'warning', 'Job {{ $labels.namespace }}/{{ $labels.job_name }} failed.'),
      alert('AutoscalerAtMaximum', 'kube_horizontalpodautoscaler_status_current_replicas == kube_horizontalpodautoscaler_spec_max_replicas and kube_horizontalpodautoscaler_spec_min_replicas != kube_horizontalpodautoscaler_spec_max_replicas', '30m', 'warning', '{{ $labels.namespace }}/{{ $labels.horizontalpodautoscaler }} cannot grow any more.'),
      alert('VolumeAlmostFull', 'kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes < 0.1', '15m', 'warning', 'Volume {{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} has {{ $value | humanizePercentage }} left.'),
      alert('GuardrailViolated', 'sum by (policy) (increase(apiserver_validating_admission_policy_check_total{enforcement_action="deny"}[15m])) > 0', '0m', 'warning', '{{ $labels.policy }} refused what somebody tried to deploy.'),
    ],
  },
]
