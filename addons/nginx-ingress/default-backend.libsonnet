// The page for host names of the cluster that no Ingress has taken: an Ingress for
// all of them, which any other one outranks, and an nginx with one page.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

function(p, component) {
  local all = self,
  local name = p.name + '-default-backend',

  config: kube.ConfigMap(name) + component {
    data: {
      'nginx.conf': |||
        pid /tmp/nginx.pid;
        error_log /dev/stderr warn;
        worker_processes 1;
        events { worker_connections 256; }
        http {
          access_log off;
          server_tokens off;
          types { text/html html; }
          client_body_temp_path /tmp/client;
          proxy_temp_path /tmp/proxy;
          fastcgi_temp_path /tmp/fastcgi;
          uwsgi_temp_path /tmp/uwsgi;
          scgi_temp_path /tmp/scgi;
          server {
            listen 8080;
            root /etc/default-backend;
            location = /healthz { return 200; }
            location = /404.html { internal; }
            location / { return 404; }
            error_page 404 /404.html;
          }
        }
      |||,
      '404.html': |||
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Nothing here</title>
        <h1>Nothing here</h1>
        <p>No service of the cluster <b>%(cluster)s</b> has this name. It may have been
        removed, or its Ingress may not have been accepted: see its events by
        <code>kubectl describe ingress</code>.</p>
        <p><a href="mailto:%(team)s">%(team)s</a></p>
        </html>
      ||| % { cluster: p.cluster.name, team: p.cluster.org.team },
    },
  },

  deployment: kube.Deployment(name) + component + platform.spread() {
    spec+: {
      replicas: p.replicas.min,
      template+: {
        // A new page means new pods.
        metadata+: { annotations+: platform.checksum(all.config) },
        spec+: platform.restricted(101) + {
          priorityClassName: platform.priority.standard,
          volumes_+: { config: kube.ConfigMapVolume(all.config), tmp: kube.EmptyDirVolume() },
          containers_+: {
            nginx: platform.Container('nginx') {
              image: p.image,
              command: ['/usr/sbin/nginx', '-c', '/etc/default-backend/nginx.conf', '-g', 'daemon off;'],
              ports_+: { http: { containerPort: 8080 } },
              resources_:: { cpu: '10m', memory: '32Mi' },
              readinessProbe: platform.httpProbe('/healthz', 'http'),
              livenessProbe: platform.httpProbe('/healthz', 'http'),
              volumeMounts_+: {
                config: { mountPath: '/etc/default-backend', readOnly: true },
                tmp: { mountPath: '/tmp' },
              },
            },
          },
        },
      },
    },
  },

  disruption_budget: kube.PodDisruptionBudget(name) + component {
    target_pod:: all.deployment.spec.template,
  },

  service: kube.Service(name) + component {
    target_pod:: all.deployment.spec.template,
    port:: 80,
  },

  ingress: platform.Ingress(name) + component {
    host:: '*.' + p.cluster.hostSuffix,
    target_service:: all.service,
    spec+: { ingressClassName: p.class },
  },

  network_policy: kube.NetworkPolicy(name) + component {
    target_pod:: all.deployment.spec.template,
    spec+: { ingress_+: { nginx: platform.fromPeers(['http'], [
      { podSelector: { matchLabels: { 'app.kubernetes.io/instance': p.name, 'app.kubernetes.io/component': 'controller' } } },
    ]) } },
  },
}
