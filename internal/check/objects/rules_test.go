package objects

import (
	"slices"
	"strings"
	"testing"

	"platform/internal/check/checktest"
)

// A small cluster in which everything is as it should be.
const good = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: shop}
data: {web.conf: "a", other.conf: "b"}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: standard}
value: 100
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: ebs.csi.aws.com
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: web, namespace: shop}
spec: {storageClassName: fast}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations: {prometheus.io/scrape: "true", prometheus.io/port: "9113"}
    spec:
      serviceAccountName: web
      priorityClassName: standard
      imagePullSecrets: [{name: pull}]
      volumes:
      - {name: config, configMap: {name: web, items: [{key: web.conf, path: web.conf}]}}
      - {name: tls, secret: {secretName: web-tls}}
      - {name: all, projected: {sources: [{configMap: {name: web}}, {secret: {name: made, items: [{key: password, path: p}]}}]}}
      - {name: data, persistentVolumeClaim: {claimName: web}}
      - {name: maybe, configMap: {name: nowhere, optional: true}}
      initContainers:
      - {name: init, image: "web:1", envFrom: [{configMapRef: {name: web}}, {secretRef: {name: absent, optional: true}}]}
      containers:
      - name: web
        image: web:1
        ports: [{name: http, containerPort: 8080}, {name: metrics, containerPort: 9113}]
        env:
        - {name: PASSWORD, valueFrom: {secretKeyRef: {name: made, key: password}}}
        - {name: SETTING, valueFrom: {configMapKeyRef: {name: web, key: other.conf}}}
        readinessProbe: {httpGet: {path: /, port: http}}
        volumeMounts:
        - {name: config, mountPath: /etc/web.conf, subPath: web.conf}
        - {name: tls, mountPath: /tls}
---
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: nginx.org/ingress-controller}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: shop
  annotations: {kubernetes.io/tls-acme: "true", nginx.org/websocket-services: web}
spec:
  ingressClassName: nginx
  tls: [{hosts: [web.example.net], secretName: web-tls}]
  rules:
  - host: web.example.net
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, namespace: shop}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchExpressions: [{key: app, operator: In, values: [web]}]}
  ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}, {podSelector: {matchLabels: {app: web}}}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: builds, namespace: shop}
spec: {podSelector: {matchLabels: {app: build}}, policyTypes: [Ingress]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web, namespace: shop}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}, {kind: Group, name: developers}, {kind: ServiceAccount, name: default, namespace: shop}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
---
apiVersion: batch/v1
kind: Job
metadata:
  name: make
  namespace: shop
  annotations: {platform/provides: "Secret made: password; Pod */*: app=build"}
spec: {template: {spec: {serviceAccountName: web, containers: [{name: make, image: "make:1"}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store, namespace: shop}
spec:
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      containers:
      - {name: store, image: "store:1", ports: [{containerPort: 7000, protocol: UDP}], volumeMounts: [{name: data, mountPath: /data}]}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: fast}}]
---
apiVersion: v1
kind: Service
metadata: {name: store, namespace: shop}
spec: {clusterIP: None, selector: {app: store}, ports: [{port: 7000, protocol: UDP}]}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: own, namespace: shop}
spec: {ca: {secretName: own-ca}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: own-ca, namespace: shop}
spec: {secretName: own-ca, issuerRef: {kind: ClusterIssuer, name: letsencrypt}}
---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: letsencrypt}
spec: {acme: {}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata:
  name: web
  annotations: {cert-manager.io/inject-ca-from: shop/own-ca}
webhooks: [{name: web.example.net, clientConfig: {service: {name: web, namespace: shop, port: 80}}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: limits}
spec: {paramKind: {apiVersion: v1, kind: ConfigMap}, validations: [{expression: "true"}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: limits}
spec: {policyName: limits, paramRef: {name: web, namespace: shop}, validationActions: [Deny]}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.net}
spec: {group: example.net, scope: Namespaced, names: {kind: Widget, plural: widgets}}
---
apiVersion: example.net/v1
kind: Widget
metadata: {name: one, namespace: shop}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.example.net}
spec: {service: {name: web, namespace: shop, port: 80}}`

// declaration is of a cluster whose IAM roles are for accounts that exist.
const declaration = `{"kops": {"cluster": {"spec": {"iam": {"serviceAccountExternalPermissions": [{"name": "web", "namespace": "shop"}]}}}}}`

func find(t *testing.T, rule string, files map[string]string) []string {
	t.Helper()
	rules := Rules(Options{Provided: []string{"Secret shop/pull"}})
	return checktest.Find(t, rules, rule, checktest.Cluster(t, "dev", declaration, files))
}

func TestGoodClusterHasNoFindings(t *testing.T) {
	for _, rule := range []string{"namespace", "references", "collisions"} {
		for _, finding := range find(t, rule, map[string]string{"shop": good}) {
			t.Errorf("%s: %s", rule, finding)
		}
	}
}

// Each defect is made by replacing a text of the good cluster.
func TestDefects(t *testing.T) {
	for _, c := range []struct {
		name, rule, from, to string
		want                 []string
	}{
		{
			"no namespace", "namespace", "kind: ServiceAccount\nmetadata: {name: web, namespace: shop}", "kind: ServiceAccount\nmetadata: {name: web}",
			[]string{"ServiceAccount web: metadata: names no namespace"},
		},
		{
			"undeclared namespace", "namespace", "kind: ServiceAccount\nmetadata: {name: web, namespace: shop}", "kind: ServiceAccount\nmetadata: {name: web, namespace: shpo}",
			[]string{"ServiceAccount shpo/web: metadata.namespace: is in the namespace shpo, which no file of the cluster declares; the closest name is shop"},
		},
		{
			"namespace of Kubernetes itself", "namespace", "kind: ServiceAccount\nmetadata: {name: web, namespace: shop}", "kind: ServiceAccount\nmetadata: {name: web, namespace: kube-system}",
			nil,
		},
		{
			"namespace too many", "namespace", "metadata: {name: standard}", "metadata: {name: standard, namespace: shop}",
			[]string{"PriorityClass shop/standard: metadata.namespace: names the namespace shop, but a PriorityClass isn't in any"},
		},
		{
			"custom kind without a namespace", "namespace", "metadata: {name: one, namespace: shop}", "metadata: {name: one}",
			[]string{"Widget one: metadata: names no namespace"},
		},
		{
			"custom kind of the cluster", "namespace", "scope: Namespaced", "scope: Cluster",
			[]string{"Widget shop/one: metadata.namespace: names the namespace shop, but a Widget isn't in any"},
		},
		{
			"unknown kind", "namespace", "kind: Widget\nmetadata: {name: one, namespace: shop}", "kind: Gadget\nmetadata: {name: one}",
			nil,
		},
		{
			"service account", "references", "serviceAccountName: web\n", "serviceAccountName: wbe\n",
			[]string{"Deployment shop/web: spec.template.spec.serviceAccountName: there is no ServiceAccount shop/wbe; the closest name is web"},
		},
		{
			"priority class", "references", "priorityClassName: standard", "priorityClassName: important",
			[]string{"Deployment shop/web: spec.template.spec.priorityClassName: there is no PriorityClass important"},
		},
		{
			"priority class of Kubernetes", "references", "priorityClassName: standard", "priorityClassName: system-node-critical",
			nil,
		},
		{
			"pull secret", "references", "imagePullSecrets: [{name: pull}]", "imagePullSecrets: [{name: pul}]",
			[]string{`Deployment shop/web: spec.template.spec.imagePullSecrets[name="pul"]: there is no Secret shop/pul; the closest name is pull`},
		},
		{
			"volume's ConfigMap", "references", "{name: config, configMap: {name: web, items", "{name: config, configMap: {name: wed, items",
			[]string{`Deployment shop/web: spec.template.spec.volumes[name="config"].configMap.name: there is no ConfigMap shop/wed; the closest name is web`},
		},
		{
			"volume's key", "references", "items: [{key: web.conf, path: web.conf}]", "items: [{key: web.cnf, path: web.conf}]",
			[]string{`Deployment shop/web: spec.template.spec.volumes[name="config"].configMap.items[0].key: the ConfigMap shop/web has no key web.cnf; it has other.conf, web.conf`},
		},
		{
			"volume's Secret", "references", "secret: {secretName: web-tls}", "secret: {secretName: web-tsl}",
			[]string{`Deployment shop/web: spec.template.spec.volumes[name="tls"].secret.secretName: there is no Secret shop/web-tsl; the closest name is web-tls`},
		},
		{
			"projected key", "references", "items: [{key: password, path: p}]", "items: [{key: pasword, path: p}]",
			[]string{`Deployment shop/web: spec.template.spec.volumes[name="all"].projected.sources[1].secret.items[0].key: the Secret shop/made has no key pasword; it has password`},
		},
		{
			"claim", "references", "claimName: web", "claimName: store",
			[]string{`Deployment shop/web: spec.template.spec.volumes[name="data"].persistentVolumeClaim.claimName: there is no PersistentVolumeClaim shop/store`},
		},
		{
			"storage class of a claim", "references", "kind: PersistentVolumeClaim\nmetadata: {name: web, namespace: shop}\nspec: {storageClassName: fast}", "kind: PersistentVolumeClaim\nmetadata: {name: web, namespace: shop}\nspec: {storageClassName: fats}",
			[]string{"PersistentVolumeClaim shop/web: spec.storageClassName: there is no StorageClass fats; the closest name is fast"},
		},
		{
			"storage class of a claim template", "references", "{metadata: {name: data}, spec: {storageClassName: fast}}", "{metadata: {name: data}, spec: {storageClassName: slow}}",
			[]string{"StatefulSet shop/store: spec.volumeClaimTemplates[0].spec.storageClassName: there is no StorageClass slow"},
		},
		{
			"variable's Secret", "references", "secretKeyRef: {name: made, key: password}", "secretKeyRef: {name: mode, key: password}",
			[]string{`Deployment shop/web: spec.template.spec.containers[name="web"].env[name="PASSWORD"].valueFrom.secretKeyRef.name: there is no Secret shop/mode; the closest name is made`},
		},
		{
			"variable's key", "references", "configMapKeyRef: {name: web, key: other.conf}", "configMapKeyRef: {name: web, key: another.conf}",
			[]string{`Deployment shop/web: spec.template.spec.containers[name="web"].env[name="SETTING"].valueFrom.configMapKeyRef.key: the ConfigMap shop/web has no key another.conf; it has other.conf, web.conf`},
		},
		{
			"all variables", "references", "envFrom: [{configMapRef: {name: web}}", "envFrom: [{configMapRef: {name: elsewhere}}",
			[]string{`Deployment shop/web: spec.template.spec.initContainers[name="init"].envFrom[0].configMapRef.name: there is no ConfigMap shop/elsewhere`},
		},
		{
			"single file", "references", "subPath: web.conf}", "subPath: wbe.conf}",
			[]string{`Deployment shop/web: spec.template.spec.containers[name="web"].volumeMounts[name="config"].subPath: the volume config has no file wbe.conf; it has web.conf`},
		},
		{
			"mount", "references", "- {name: tls, mountPath: /tls}", "- {name: tsl, mountPath: /tls}",
			[]string{`Deployment shop/web: spec.template.spec.containers[name="web"].volumeMounts[name="tsl"]: the pod has no volume tsl; it has config, tls, all, data, maybe`},
		},
		{
			"probe's port", "references", "readinessProbe: {httpGet: {path: /, port: http}}", "readinessProbe: {httpGet: {path: /, port: htpp}}",
			[]string{`Deployment shop/web: spec.template.spec.containers[name="web"].readinessProbe.httpGet.port: the container has no port htpp; it has http, metrics`},
		},
		{
			"scrape port", "references", `prometheus.io/port: "9113"`, `prometheus.io/port: "9114"`,
			[]string{`Deployment shop/web: spec.template.metadata.annotations["prometheus.io/port"]: Prometheus would scrape port 9114, which no container has; it has 8080, 9113`},
		},
		{
			"service's scrape port", "references", "kind: Service\nmetadata:\n  name: web", "kind: Service\nmetadata:\n  annotations: {prometheus.io/scrape: \"true\", prometheus.io/port: \"80\"}\n  name: web",
			[]string{`Service shop/web: metadata.annotations["prometheus.io/port"]: Prometheus would scrape port 80, which no container behind the Service has; it has http (8080/TCP), metrics (9113/TCP)`},
		},
		{
			"selector of a Service", "references", "selector: {app: web}\n  ports", "selector: {app: wbe}\n  ports",
			[]string{"Service shop/web: spec.selector: selects no pods: no workload in the namespace shop has the labels app=wbe"},
		},
		{
			"target port by name", "references", "targetPort: http}", "targetPort: https}",
			[]string{`Service shop/web: spec.ports[name="http"].targetPort: no container of Deployment web has the port https/TCP; it has http (8080/TCP), metrics (9113/TCP)`},
		},
		{
			"target port by number", "references", "targetPort: http}", "targetPort: 80}",
			[]string{`Service shop/web: spec.ports[name="http"].targetPort: no container of Deployment web has the port 80/TCP; it has http (8080/TCP), metrics (9113/TCP)`},
		},
		{
			"protocol", "references", "ports: [{port: 7000, protocol: UDP}]", "ports: [{port: 7000}]",
			[]string{"Service shop/store: spec.ports[0].port: no container of StatefulSet store has the port 7000/TCP; it has 7000/UDP"},
		},
		{
			"governing Service", "references", "serviceName: store", "serviceName: stores",
			[]string{"StatefulSet shop/store: spec.serviceName: there is no Service shop/stores; the closest name is store"},
		},
		{
			"backend", "references", "backend: {service: {name: web, port", "backend: {service: {name: we, port",
			[]string{"Ingress shop/web: spec.rules[0].http.paths[0].backend.service.name: there is no Service shop/we; the closest name is web"},
		},
		{
			"backend's port", "references", "port: {name: http}}}", "port: {number: 8080}}}",
			[]string{"Ingress shop/web: spec.rules[0].http.paths[0].backend.service.port: the Service shop/web has no port 8080; it has http (80)"},
		},
		{
			"class", "references", "ingressClassName: nginx", "ingressClassName: ngnix",
			[]string{"Ingress shop/web: spec.ingressClassName: there is no IngressClass ngnix; the closest name is nginx"},
		},
		{
			"certificate that nobody issues", "references", `kubernetes.io/tls-acme: "true", `, "",
			[]string{
				`Deployment shop/web: spec.template.spec.volumes[name="tls"].secret.secretName: there is no Secret shop/web-tls`,
				"Ingress shop/web: spec.tls[0].secretName: there is no Secret shop/web-tls",
			},
		},
		{
			"cluster issuer of an Ingress", "references", `kubernetes.io/tls-acme: "true"`, `cert-manager.io/cluster-issuer: letsencrpyt`,
			[]string{`Ingress shop/web: metadata.annotations["cert-manager.io/cluster-issuer"]: there is no ClusterIssuer letsencrpyt; the closest name is letsencrypt`},
		},
		{
			"issuer of an Ingress", "references", `kubernetes.io/tls-acme: "true"`, `cert-manager.io/issuer: mine`,
			[]string{`Ingress shop/web: metadata.annotations["cert-manager.io/issuer"]: there is no Issuer shop/mine`},
		},
		{
			"websocket Service", "references", "nginx.org/websocket-services: web", "nginx.org/websocket-services: 'web, jenkins'",
			[]string{`Ingress shop/web: metadata.annotations["nginx.org/websocket-services"]: there is no Service shop/jenkins`},
		},
		{
			"login", "references", "nginx.org/websocket-services: web", "nginx.org/basic-auth-secret: login",
			[]string{`Ingress shop/web: metadata.annotations["nginx.org/basic-auth-secret"]: there is no Secret shop/login`},
		},
		{
			"disruption budget", "references", "spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}", "spec: {maxUnavailable: 1, selector: {matchLabels: {app: wbe}}}",
			[]string{"PodDisruptionBudget shop/web: spec.selector: selects no pods: no workload in the namespace shop has the labels app=wbe"},
		},
		{
			"network policy", "references", "values: [web]", "values: [wbe]",
			[]string{"NetworkPolicy shop/web: spec.podSelector: selects no pods: no workload in the namespace shop has the labels app in (wbe)"},
		},
		{
			"pods that nobody creates", "references", "; Pod */*: app=build", "",
			[]string{"NetworkPolicy shop/builds: spec.podSelector: selects no pods: no workload in the namespace shop has the labels app=build"},
		},
		{
			"peer's namespace", "references", "kubernetes.io/metadata.name: kube-system", "kubernetes.io/metadata.name: kube-sytem",
			[]string{`NetworkPolicy shop/web: spec.ingress[0].from[0].namespaceSelector.matchLabels["kubernetes.io/metadata.name"]: there is no Namespace kube-sytem; the closest name is kube-system`},
		},
		{
			"peer in its own namespace", "references", "{podSelector: {matchLabels: {app: web}}}]}]", "{podSelector: {matchLabels: {app: we}}}]}]",
			[]string{"NetworkPolicy shop/web: spec.ingress[0].from[1].podSelector: selects no pods: no workload in the namespace shop has the labels app=we"},
		},
		{
			"autoscaler", "references", "kind: Deployment, name: web}", "kind: StatefulSet, name: web}",
			[]string{"HorizontalPodAutoscaler shop/web: spec.scaleTargetRef.name: there is no StatefulSet shop/web"},
		},
		{
			"role", "references", "kind: Role, name: web}", "kind: Role, name: wep}",
			[]string{"RoleBinding shop/web: roleRef.name: there is no Role shop/wep; the closest name is web"},
		},
		{
			"cluster role", "references", "kind: ClusterRole, name: view}", "kind: ClusterRole, name: viewer}",
			[]string{"ClusterRoleBinding web: roleRef.name: there is no ClusterRole viewer; the closest name is view"},
		},
		{
			"cluster role of Kubernetes", "references", "kind: ClusterRole, name: view}", "kind: ClusterRole, name: 'system:auth-delegator'}",
			nil,
		},
		{
			"subject", "references", "subjects: [{kind: ServiceAccount, name: web, namespace: shop}, {kind: Group", "subjects: [{kind: ServiceAccount, name: web, namespace: shops}, {kind: Group",
			[]string{`RoleBinding shop/web: subjects[name="web"].name: there is no ServiceAccount shops/web; there is one in the namespace shop`},
		},
		{
			"subject without a namespace", "references", "name: view}\nsubjects: [{kind: ServiceAccount, name: web, namespace: shop}]", "name: view}\nsubjects: [{kind: ServiceAccount, name: web}]",
			[]string{`ClusterRoleBinding web: subjects[name="web"]: the service account web has no namespace`},
		},
		{
			"authority", "references", "spec: {ca: {secretName: own-ca}}", "spec: {ca: {secretName: other-ca}}",
			[]string{"Issuer shop/own: spec.ca.secretName: there is no Secret shop/other-ca"},
		},
		{
			"issuer", "references", "issuerRef: {kind: ClusterIssuer, name: letsencrypt}", "issuerRef: {name: letsencrypt}",
			[]string{"Certificate shop/own-ca: spec.issuerRef.name: there is no Issuer shop/letsencrypt"},
		},
		{
			"somebody else's issuer", "references", "issuerRef: {kind: ClusterIssuer, name: letsencrypt}", "issuerRef: {group: awspca.cert-manager.io, kind: AWSPCAIssuer, name: x}",
			nil,
		},
		{
			"injected authority", "references", "inject-ca-from: shop/own-ca", "inject-ca-from: shop/own",
			[]string{`ValidatingWebhookConfiguration web: metadata.annotations["cert-manager.io/inject-ca-from"]: there is no Certificate shop/own`},
		},
		{
			"injected authority without a namespace", "references", "inject-ca-from: shop/own-ca", "inject-ca-from: own-ca",
			[]string{`ValidatingWebhookConfiguration web: metadata.annotations["cert-manager.io/inject-ca-from"]: "own-ca" isn't namespace/name`},
		},
		{
			"webhook's Service", "references", "clientConfig: {service: {name: web, namespace: shop, port: 80}}", "clientConfig: {service: {name: web, namespace: ship, port: 80}}",
			[]string{`ValidatingWebhookConfiguration web: webhooks[name="web.example.net"].clientConfig.service.name: there is no Service ship/web; there is one in the namespace shop`},
		},
		{
			"webhook's port", "references", "clientConfig: {service: {name: web, namespace: shop, port: 80}}", "clientConfig: {service: {name: web, namespace: shop}}",
			[]string{`ValidatingWebhookConfiguration web: webhooks[name="web.example.net"].clientConfig.service.port: the Service shop/web has no port 443; it has http (80)`},
		},
		{
			"part of the API", "references", "spec: {service: {name: web, namespace: shop, port: 80}}", "spec: {service: {name: api, namespace: shop, port: 80}}",
			[]string{"APIService v1.example.net: spec.service.name: there is no Service shop/api"},
		},
		{
			"policy", "references", "policyName: limits", "policyName: limit",
			[]string{"ValidatingAdmissionPolicyBinding limits: spec.policyName: there is no ValidatingAdmissionPolicy limit; the closest name is limits"},
		},
		{
			"parameters", "references", "paramRef: {name: web, namespace: shop}", "paramRef: {name: wob, namespace: shop}",
			[]string{"ValidatingAdmissionPolicyBinding limits: spec.paramRef.name: there is no ConfigMap shop/wob; the closest name is web"},
		},
		{
			"no parameters", "references", "paramRef: {name: web, namespace: shop}, ", "",
			[]string{"ValidatingAdmissionPolicyBinding limits: spec: gives no parameters to the ValidatingAdmissionPolicy limits, which wants a ConfigMap"},
		},
		{
			"parameters of a policy without", "references", "paramKind: {apiVersion: v1, kind: ConfigMap}, ", "",
			[]string{"ValidatingAdmissionPolicyBinding limits: spec.paramRef: gives parameters to the ValidatingAdmissionPolicy limits, which takes none"},
		},
		{
			"what a program creates", "references", `"Secret made: password;`, `"Secret made password;`,
			[]string{
				`Job shop/make: metadata.annotations["platform/provides"]: "Secret made password": want a kind and a name, such as "Secret logging/elasticsearch-ca"`,
				`Deployment shop/web: spec.template.spec.volumes[name="all"].projected.sources[1].secret.name: there is no Secret shop/made`,
				`Deployment shop/web: spec.template.spec.containers[name="web"].env[name="PASSWORD"].valueFrom.secretKeyRef.name: there is no Secret shop/made`,
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if n := strings.Count(good, c.from); n != 1 {
				t.Fatalf("%q is %d times in the good cluster", c.from, n)
			}
			got := find(t, c.rule, map[string]string{"shop": strings.Replace(good, c.from, c.to, 1)})
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestCollisions(t *testing.T) {
	const a = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"two files", map[string]string{"base": a, "shop": a}, []string{"ConfigMap shop/web: metadata.name: is declared by clusters/dev/base.jsonnet (configmap-web) as well"}},
		{"two keys", map[string]string{"base": a + "\n---\n" + a}, []string{"ConfigMap shop/web: metadata.name: is declared by clusters/dev/base.jsonnet (configmap-web) as well"}},
		{"three files", map[string]string{"base": a, "shop": a, "web": a}, []string{
			"ConfigMap shop/web: metadata.name: is declared by clusters/dev/base.jsonnet (configmap-web) as well",
			"ConfigMap shop/web: metadata.name: is declared by clusters/dev/base.jsonnet (configmap-web) as well",
		}},
		{"other namespace", map[string]string{"base": a, "shop": strings.Replace(a, "shop", "web", 1)}, nil},
		{"other kind", map[string]string{"base": a, "shop": strings.Replace(a, "ConfigMap", "Service", 1)}, nil},
		{"other group", map[string]string{"base": a, "shop": strings.Replace(a, "v1", "example.net/v1", 1)}, nil},
		{"other version", map[string]string{"base": strings.Replace(a, "v1", "example.net/v1", 1), "shop": strings.Replace(a, "v1", "example.net/v2", 1)}, []string{
			"ConfigMap shop/web: metadata.name: is declared by clusters/dev/base.jsonnet (configmap-web) as well",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := find(t, "collisions", c.files); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// Clusters don't see each other's objects.
func TestClustersAreApart(t *testing.T) {
	one := checktest.Cluster(t, "dev", "{}", map[string]string{"shop": "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}"})
	two := checktest.Cluster(t, "web", "{}", map[string]string{"shop": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}"})
	got := checktest.Find(t, Rules(Options{}), "namespace", one, two)
	if len(got) != 1 || !strings.Contains(got[0], "ConfigMap shop/web") {
		t.Errorf("got %q", got)
	}
}

func TestPermissionsOfMissingAccounts(t *testing.T) {
	c := checktest.Cluster(t, "dev", strings.Replace(declaration, `"web"`, `"wbe"`, 1), map[string]string{"shop": good})
	got := checktest.Find(t, Rules(Options{Provided: []string{"Secret shop/pull"}}), "references", c)
	want := []string{": kops.cluster.spec.iam.serviceAccountExternalPermissions[0]: gives permissions in AWS to a service account that isn't there: there is no ServiceAccount shop/wbe; the closest name is web"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
