package worker

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	api "k8s.io/kops/pkg/apis/kops"
	"k8s.io/kops/pkg/kubeconfig"
	"k8s.io/kops/pkg/validation"

	"platform/internal/kops"
	"platform/internal/plan"
)

// planAPITimeout bounds a look at the API that a plan can do without.
const planAPITimeout = 5 * time.Second

// validateCount is how often in a row a cluster has to validate after a
// machine was replaced, as in kops' own command.
const validateCount = 2

// connect issues an admin certificate with kops' CA, as `kops export
// kubeconfig --admin` does.
func (s *session) connect(ctx context.Context) (*kops.Result, error) {
	if s.stored == nil {
		return &kops.Result{}, nil
	}
	connection, err := s.connection(ctx)
	return &kops.Result{Exists: true, Connection: connection}, err
}

func (s *session) connection(ctx context.Context) (*kops.Connection, error) {
	if s.admin != nil {
		return s.admin, nil
	}
	keys, err := s.clientset.KeyStore(s.declared)
	if err != nil {
		return nil, err
	}
	secrets, err := s.clientset.SecretStore(s.declared)
	if err != nil {
		return nil, err
	}
	expires := time.Now().Add(kubeconfig.DefaultKubecfgAdminLifetime)
	config, err := kubeconfig.BuildKubecfg(ctx, s.declared, keys, secrets, s.cloud,
		kubeconfig.CreateKubecfgOptions{Admin: kubeconfig.DefaultKubecfgAdminLifetime}, s.request.Spec.StateStore)
	if err != nil {
		// A cluster that was stored but not yet built has neither a CA nor a
		// load balancer: there is no API to connect to.
		if strings.Contains(err.Error(), "cannot find CA certificate") || strings.Contains(err.Error(), "fetching CA keypair") {
			return nil, nil
		}
		return nil, fmt.Errorf("issuing credentials for the API of %s: %w", s.declared.Name, err)
	}
	s.admin = &kops.Connection{
		Name: config.Context, Server: config.Server, TLSServerName: config.TLSServerName,
		CA: config.CACerts, ClientCert: config.ClientCert, ClientKey: config.ClientKey,
		Proxy: s.request.Proxy, Expires: expires,
	}
	return s.admin, nil
}

func (s *session) restConfig(ctx context.Context) (*rest.Config, error) {
	connection, err := s.connection(ctx)
	if err != nil {
		return nil, err
	}
	if connection == nil {
		return nil, fmt.Errorf("the cluster %s has no API yet", s.declared.Name)
	}
	return connection.RESTConfig()
}

func (s *session) client(ctx context.Context) (kubernetes.Interface, error) {
	config, err := s.restConfig(ctx)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

func (s *session) nodes(ctx context.Context, timeout time.Duration) ([]corev1.Node, error) {
	client, err := s.client(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing the nodes of %s: %w", s.declared.Name, err)
	}
	return list.Items, nil
}

// oldestControlPlane is the oldest Kubernetes version among the running
// control-plane nodes and the declared one.
func oldestControlPlane(nodes []corev1.Node, declared string) string {
	oldest, err := version.ParseGeneric(declared)
	if err != nil {
		return declared
	}
	out := declared
	for _, node := range nodes {
		if _, ok := node.Labels["node-role.kubernetes.io/control-plane"]; !ok {
			continue
		}
		running, err := version.ParseGeneric(node.Status.NodeInfo.KubeletVersion)
		if err == nil && running.LessThan(oldest) {
			oldest, out = running, running.String()
		}
	}
	return out
}

func (s *session) validator(ctx context.Context, groups func(*api.InstanceGroup) bool, pods func(*corev1.Pod) bool) (validation.ClusterValidator, error) {
	config, err := s.restConfig(ctx)
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	_, stored, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	list := &api.InstanceGroupList{}
	for _, group := range stored {
		list.Items = append(list.Items, *group)
	}
	return validation.NewClusterValidator(s.declared, s.cloud, list, groups, pods, config, client)
}

// waitForAPI waits until the control plane's machines have joined and the API
// answers, whatever else is still missing.
func (s *session) waitForAPI(ctx context.Context, _ *kops.Result) error {
	return s.waitUntil(ctx, s.request.Settings.APITimeout,
		func(g *api.InstanceGroup) bool { return hasRole(g, controlPlaneRoles) },
		func(*corev1.Pod) bool { return false })
}

// waitValid waits until all of the cluster validates.
func (s *session) waitValid(ctx context.Context, _ *kops.Result) error {
	return s.waitUntil(ctx, s.request.Settings.ValidationTimeout, nil, nil)
}

func (s *session) waitUntil(ctx context.Context, patience time.Duration, groups func(*api.InstanceGroup) bool, pods func(*corev1.Pod) bool) error {
	deadline := time.Now().Add(patience)
	last := ""
	for {
		reason, err := s.validateOnce(ctx, groups, pods)
		if err != nil {
			return err
		}
		if reason == "" {
			return nil
		}
		if reason != last {
			s.report(plan.Event{Layer: plan.Kops, Resource: "Cluster/" + s.declared.Name, Action: "waiting", Detail: reason, Transient: true})
			last = reason
		}
		if time.Now().After(deadline) {
			return &kops.Error{Kind: kops.KindNotValidated, Message: fmt.Sprintf("kops: Cluster/%s: not ready after %s: %s", s.declared.Name, patience, reason)}
		}
		if err := s.waitEvery(ctx); err != nil {
			return err
		}
	}
}

// validateOnce gives what is wrong in a line, or nothing. An API that doesn't
// answer is what's wrong, not an error.
func (s *session) validateOnce(ctx context.Context, groups func(*api.InstanceGroup) bool, pods func(*corev1.Pod) bool) (string, error) {
	validator, err := s.validator(ctx, groups, pods)
	if err != nil {
		return "", err
	}
	found, err := validator.Validate(ctx)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return err.Error(), nil
	}
	var failures []string
	for _, failure := range found.Failures {
		failures = append(failures, failure.Kind+" "+failure.Name+": "+failure.Message)
	}
	const shown = 3
	if len(failures) > shown {
		failures = append(failures[:shown], fmt.Sprintf("and %d more", len(failures)-shown))
	}
	return strings.Join(failures, "; "), nil
}

// verify validates once and says how each instance group and the API do.
func (s *session) verify(ctx context.Context) (*kops.Result, error) {
	if s.stored == nil {
		return &kops.Result{}, nil
	}
	result := &kops.Result{Exists: true}
	connection, err := s.connection(ctx)
	if err != nil {
		return result, err
	}
	result.Connection = connection
	if connection == nil {
		result.Health = []plan.Health{{Layer: plan.Kops, Stack: "cluster", Resource: "Cluster/" + s.declared.Name, State: plan.Missing, Reason: "stored but not built yet"}}
		return result, nil
	}
	validator, err := s.validator(ctx, nil, nil)
	if err != nil {
		return result, err
	}
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	found, err := validator.Validate(ctx)
	control := plan.Health{Layer: plan.Kops, Stack: "cluster", Resource: "API " + connection.Server, State: plan.Ready}
	if err != nil {
		control.State = plan.Failed
		control.Reason = err.Error()
		result.Health = []plan.Health{control}
		return result, nil
	}
	result.Health = append(result.Health, control)
	byGroup := map[string][]string{}
	for _, failure := range found.Failures {
		name := ""
		if failure.InstanceGroup != nil {
			name = failure.InstanceGroup.Name
		}
		byGroup[name] = append(byGroup[name], failure.Kind+" "+failure.Name+": "+failure.Message)
	}
	for _, group := range s.declaredGroups {
		result.Health = append(result.Health, health("InstanceGroup/"+group.Name, byGroup[group.Name]))
	}
	if rest := byGroup[""]; len(rest) > 0 {
		result.Health = append(result.Health, health("Cluster/"+s.declared.Name, rest))
	}
	return result, nil
}

const verifyTimeout = 30 * time.Second

func health(resource string, failures []string) plan.Health {
	h := plan.Health{Layer: plan.Kops, Stack: "cluster", Resource: resource, State: plan.Ready}
	if len(failures) > 0 {
		h.State = plan.Progressing
		h.Reason = strings.Join(failures, "; ")
	}
	return h
}
