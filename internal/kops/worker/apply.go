package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	api "k8s.io/kops/pkg/apis/kops"
	"k8s.io/kops/pkg/instancegroups"
	"k8s.io/kops/pkg/predicates"
	"k8s.io/kops/upup/pkg/fi"
	"k8s.io/kops/upup/pkg/fi/cloudup"

	"platform/internal/kops"
	"platform/internal/plan"
)

type updateOptions struct {
	roles []api.InstanceGroupRole
	phase cloudup.Phase
	prune bool
}

// update is kops' update of a cluster, dry or direct.
func (s *session) update(ctx context.Context, target cloudup.Target, cluster *api.Cluster, groups []*api.InstanceGroup, o updateOptions) (*cloudup.ApplyClusterCmd, error) {
	tasks := fi.RunTasksOptions{}
	tasks.InitDefaults()
	var filter predicates.Predicate[*api.InstanceGroup]
	if len(o.roles) > 0 {
		filter = func(g *api.InstanceGroup) bool { return hasRole(g, o.roles) }
	}
	deletions := fi.DeletionProcessingModeDeleteIfNotDeferrred
	if o.prune {
		deletions = fi.DeletionProcessingModeDeleteIncludingDeferred
	}
	// kops caches directories that it writes assets to; none are written here.
	out, err := os.MkdirTemp("", "platform-kops-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	cmd := &cloudup.ApplyClusterCmd{
		Cloud:               s.cloud,
		Clientset:           s.clientset,
		Cluster:             cluster,
		InstanceGroups:      groups,
		InstanceGroupFilter: filter,
		TargetName:          target,
		DryRun:              target == cloudup.TargetDryRun,
		RunTasksOptions:     &tasks,
		OutDir:              out,
		Phase:               o.phase,
		DeletionProcessing:  deletions,
		// The kubelets of nodes must not get ahead of the control plane that
		// is running, so kops is told what is running.
		ControlPlaneRunningVersion: s.runningVersion(ctx),
	}
	if _, err := cmd.Run(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, fmt.Errorf("updating %s: %w", s.declared.Name, err)
	}
	return cmd, nil
}

func hasRole(group *api.InstanceGroup, roles []api.InstanceGroupRole) bool {
	for _, role := range roles {
		if group.Spec.Role == role {
			return true
		}
	}
	return false
}

// runningVersion is the oldest Kubernetes version among the running
// control-plane machines, and the declared one where that can't be told, as
// kops' own update command has it.
func (s *session) runningVersion(ctx context.Context) string {
	declared := s.declared.Spec.KubernetesVersion
	if s.stored == nil {
		return declared
	}
	nodes, err := s.nodes(ctx, planAPITimeout)
	if err != nil {
		return declared
	}
	return oldestControlPlane(nodes, declared)
}

// network stores the Cluster and brings up the network alone. The instance
// groups wait until their target groups are known.
func (s *session) network(ctx context.Context) (*kops.Result, error) {
	result := &kops.Result{Exists: true}
	if err := s.validate(); err != nil {
		return result, err
	}
	if s.stored == nil {
		if err := s.storeCluster(ctx); err != nil {
			return result, err
		}
		change := plan.Change{Layer: plan.Kops, Op: plan.Create, Resource: "Cluster/" + s.declared.Name}
		result.Changes = append(result.Changes, change)
		s.report(plan.Event{Layer: plan.Kops, Resource: change.Resource, Action: "created"})
	}
	s.step("building the network", "")
	_, err := s.update(ctx, cloudup.TargetDirect, s.declared.DeepCopy(), s.copyGroups(), updateOptions{phase: cloudup.PhaseNetwork})
	return result, err
}

// controlPlaneRoles are the roles that must be at the new version before any
// node is.
var controlPlaneRoles = []api.InstanceGroupRole{api.InstanceGroupRoleAPIServer, api.InstanceGroupRoleControlPlane}

// apply does what `kops replace` and then `kops reconcile cluster --yes` do.
// Each step finds for itself what is left to do, so that an apply that was
// interrupted anywhere is finished by the next.
func (s *session) apply(ctx context.Context) (*kops.Result, error) {
	result := &kops.Result{Exists: true}
	steps := []struct {
		name string
		run  func(context.Context, *kops.Result) error
	}{
		{"storing the spec", s.store},
		{"configuring the control plane", func(ctx context.Context, r *kops.Result) error {
			return s.configure(ctx, r, updateOptions{roles: controlPlaneRoles})
		}},
		{"waiting for the Kubernetes API", s.waitForAPI},
		{"rolling the control plane", func(ctx context.Context, r *kops.Result) error { return s.roll(ctx, r, controlPlaneRoles...) }},
		{"configuring the nodes", func(ctx context.Context, r *kops.Result) error { return s.configure(ctx, r, updateOptions{}) }},
		{"rolling the nodes", func(ctx context.Context, r *kops.Result) error { return s.roll(ctx, r) }},
		{"removing instance groups", s.removeGroups},
		{"pruning", func(ctx context.Context, r *kops.Result) error {
			return s.configure(ctx, r, updateOptions{prune: true})
		}},
		{"validating the cluster", s.waitValid},
	}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return result, err
		}
		s.step(step.name, "")
		if err := step.run(ctx, result); err != nil {
			return result, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	var err error
	result.Connection, err = s.connection(ctx)
	return result, err
}

func (s *session) step(action, detail string) {
	s.report(plan.Event{Layer: plan.Kops, Action: action, Detail: detail})
}

// store writes the declared objects to the state store, as `kops replace
// --force` does, where they differ from what is there.
func (s *session) store(ctx context.Context, result *kops.Result) error {
	changes, err := s.planSpec()
	if err != nil {
		return err
	}
	if err := s.validate(); err != nil {
		return err
	}
	for _, change := range changes {
		if change.Op == plan.Delete {
			continue // removeGroups' work, once the nodes have moved
		}
		if err := s.storeOne(ctx, change); err != nil {
			return err
		}
		result.Changes = append(result.Changes, change)
		s.report(plan.Event{Layer: plan.Kops, Resource: change.Resource, Action: string(change.Op) + "d"})
	}
	return nil
}

func (s *session) storeOne(ctx context.Context, change plan.Change) error {
	kind, name, _ := strings.Cut(change.Resource, "/")
	if kind == "Cluster" {
		return s.storeCluster(ctx)
	}
	client := s.clientset.InstanceGroupsFor(s.declared)
	for _, group := range s.declaredGroups {
		if group.Name != name {
			continue
		}
		var err error
		if change.Op == plan.Create {
			_, err = client.Create(ctx, group.DeepCopy(), metav1.CreateOptions{})
		} else {
			_, err = client.Update(ctx, group.DeepCopy(), metav1.UpdateOptions{})
		}
		if err != nil {
			return fmt.Errorf("storing %s: %w", change.Resource, err)
		}
	}
	return nil
}

func (s *session) storeCluster(ctx context.Context) error {
	if s.stored == nil {
		created, err := s.clientset.CreateCluster(ctx, s.declared.DeepCopy())
		if err != nil {
			return invalid(s.declared.Name, err)
		}
		s.declared.CreationTimestamp = created.CreationTimestamp
		s.stored = created
		return nil
	}
	status, err := s.cloud.FindClusterStatus(s.declared)
	if err != nil {
		return fmt.Errorf("finding the status of %s: %w", s.declared.Name, err)
	}
	updated, err := s.clientset.UpdateCluster(ctx, s.declared.DeepCopy(), status)
	if err != nil {
		return invalid(s.declared.Name, err)
	}
	s.declared.Generation = updated.Generation
	return nil
}

// configure runs kops' update and records what it changed, which it learns by
// a dry run before.
func (s *session) configure(ctx context.Context, result *kops.Result, o updateOptions) error {
	cluster, groups, err := s.read(ctx)
	if err != nil {
		return err
	}
	before, err := s.update(ctx, cloudup.TargetDryRun, cluster.DeepCopy(), deepCopy(groups), o)
	if err != nil {
		return err
	}
	changes, err := extract(before.Target.(*fi.CloudupDryRunTarget), before.TaskMap)
	if err != nil {
		return err
	}
	if len(changes) == 0 && s.applied {
		return nil
	}
	if _, err := s.update(ctx, cloudup.TargetDirect, cluster, groups, o); err != nil {
		return err
	}
	s.applied = true
	for _, change := range changes {
		result.Changes = append(result.Changes, change)
		s.report(plan.Event{Layer: plan.Kops, Resource: change.Resource, Action: string(change.Op) + "d"})
	}
	return nil
}

// read gives what is stored now: kops' update must see the objects with the
// metadata that the store gave them.
func (s *session) read(ctx context.Context) (*api.Cluster, []*api.InstanceGroup, error) {
	cluster, err := s.clientset.GetCluster(ctx, s.declared.Name)
	if err != nil {
		return nil, nil, storeError(s.request.Spec.StateStore, err)
	}
	list, err := s.clientset.InstanceGroupsFor(cluster).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, nil, storeError(s.request.Spec.StateStore, err)
	}
	groups := make([]*api.InstanceGroup, len(list.Items))
	for i := range list.Items {
		groups[i] = &list.Items[i]
	}
	return cluster, groups, nil
}

func deepCopy(groups []*api.InstanceGroup) []*api.InstanceGroup {
	out := make([]*api.InstanceGroup, len(groups))
	for i, group := range groups {
		out[i] = group.DeepCopy()
	}
	return out
}

// roll replaces the machines that need it, by kops' own rolling update: drain,
// terminate, wait for the replacement, validate.
func (s *session) roll(ctx context.Context, result *kops.Result, roles ...api.InstanceGroupRole) error {
	cluster, groups, err := s.read(ctx)
	if err != nil {
		return err
	}
	nodes, err := s.nodes(ctx, s.request.Settings.ValidationTimeout)
	if err != nil {
		return err
	}
	var selected []*api.InstanceGroup
	controlPlane := int32(0)
	for _, group := range groups {
		if len(roles) == 0 || hasRole(group, roles) {
			selected = append(selected, group)
		}
		if hasRole(group, controlPlaneRoles) && group.Spec.MinSize != nil {
			controlPlane += *group.Spec.MinSize
		}
	}
	machines, err := s.cloudGroups(selected, nodes)
	if err != nil {
		return err
	}
	var rolled []plan.Change
	for _, name := range sortedKeys(machines) {
		if group := machines[name]; len(group.NeedUpdate) > 0 {
			rolled = append(rolled, plan.Change{
				Layer: plan.Kops, Op: plan.Roll, Resource: "InstanceGroup/" + name,
				Reason: fmt.Sprintf("%d of %d instances replaced", len(group.NeedUpdate), len(group.NeedUpdate)+len(group.Ready)),
			})
			s.report(plan.Event{
				Layer: plan.Kops, Resource: "InstanceGroup/" + name, Action: "rolling",
				Detail: fmt.Sprintf("%d of %d instances", len(group.NeedUpdate), len(group.NeedUpdate)+len(group.Ready)),
			})
		}
	}
	if len(rolled) == 0 {
		return nil
	}
	client, err := s.client(ctx)
	if err != nil {
		return err
	}
	validator, err := s.validator(ctx, nil, nil)
	if err != nil {
		return err
	}
	settings := s.request.Settings
	update := &instancegroups.RollingUpdateCluster{
		Clientset:               s.clientset,
		Cluster:                 cluster,
		ClusterName:             cluster.Name,
		Cloud:                   s.cloud,
		K8sClient:               client,
		ClusterValidator:        validator,
		MasterInterval:          settings.Interval,
		NodeInterval:            settings.Interval,
		BastionInterval:         settings.Interval,
		FailOnValidate:          true,
		PostDrainDelay:          settings.DrainDelay,
		DrainTimeout:            settings.DrainTimeout,
		ValidationTimeout:       settings.ValidationTimeout,
		ValidateTickDuration:    settings.ValidateTick,
		ValidateSuccessDuration: settings.ValidateSuccess,
		ValidateCount:           validateCount,
		// A lone control-plane machine taken out of its load balancer could
		// not be drained any more.
		Options: instancegroups.RollingUpdateOptions{DeregisterControlPlaneNodes: controlPlane > 1},
	}
	list := &api.InstanceGroupList{}
	for _, group := range groups {
		list.Items = append(list.Items, *group)
	}
	if err := update.RollingUpdate(ctx, machines, list); err != nil {
		if timeout := (&instancegroups.ValidationTimeoutError{}); errors.As(err, &timeout) {
			return &kops.Error{Kind: kops.KindNotValidated, Message: err.Error()}
		}
		return err
	}
	result.Changes = append(result.Changes, rolled...)
	for _, change := range rolled {
		s.report(plan.Event{Layer: plan.Kops, Resource: change.Resource, Action: "rolled", Detail: change.Reason})
	}
	return nil
}

// removeGroups deletes the groups that git no longer has, machines and all.
func (s *session) removeGroups(ctx context.Context, result *kops.Result) error {
	for _, group := range s.removedGroups() {
		d := &instancegroups.DeleteInstanceGroup{Cluster: s.declared, Cloud: s.cloud, Clientset: s.clientset}
		if err := d.DeleteInstanceGroup(group); err != nil {
			return fmt.Errorf("deleting InstanceGroup/%s: %w", group.Name, err)
		}
		change := plan.Change{Layer: plan.Kops, Op: plan.Delete, Resource: "InstanceGroup/" + group.Name}
		result.Changes = append(result.Changes, change)
		s.report(plan.Event{Layer: plan.Kops, Resource: change.Resource, Action: "deleted"})
	}
	return nil
}

// waitEvery waits between two looks at something that isn't ready.
func (s *session) waitEvery(ctx context.Context) error {
	tick := s.request.Settings.ValidateTick
	if tick <= 0 {
		tick = time.Second
	}
	return sleep(ctx, tick)
}
