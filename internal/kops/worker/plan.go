package worker

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	api "k8s.io/kops/pkg/apis/kops"
	"k8s.io/kops/pkg/cloudinstances"
	"k8s.io/kops/upup/pkg/fi"
	"k8s.io/kops/upup/pkg/fi/cloudup"

	"platform/internal/kops"
	"platform/internal/plan"
)

// plan compares git with the state store, then with AWS by kops' dry run, then
// the running machines with their launch templates.
func (s *session) plan(ctx context.Context) (*kops.Result, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	result := &kops.Result{Exists: s.stored != nil}
	changes, err := s.planSpec()
	if err != nil {
		return nil, err
	}
	tasks, err := s.dryRun(ctx)
	if err != nil {
		return nil, err
	}
	changes = append(changes, tasks...)
	if s.stored != nil {
		rolls, err := s.planRolls(ctx, tasks)
		if err != nil {
			return nil, err
		}
		changes = append(changes, rolls...)
		if result.Connection, err = s.connection(ctx); err != nil {
			return nil, err
		}
	}
	result.Changes = changes
	return result, nil
}

// planSpec compares the declared objects with those in the state store.
func (s *session) planSpec() ([]plan.Change, error) {
	var out []plan.Change
	compare := func(resource string, stored, declared any) error {
		op, from := plan.Create, map[string]any(nil)
		if stored != nil {
			op = plan.Update
			var err error
			if from, err = encode(stored); err != nil {
				return err
			}
		}
		to, err := encode(declared)
		if err != nil {
			return err
		}
		var diff []plan.Field
		if op == plan.Update {
			if diff = plan.Diff("", from, to); len(diff) == 0 {
				return nil
			}
		}
		out = append(out, plan.Change{Layer: plan.Kops, Op: op, Resource: resource, Diff: diff})
		return nil
	}
	var stored any
	if s.stored != nil {
		stored = s.stored
	}
	if err := compare("Cluster/"+s.declared.Name, stored, s.declared); err != nil {
		return nil, err
	}
	for _, group := range s.declaredGroups {
		var stored any
		if old := s.storedGroups[group.Name]; old != nil {
			stored = old
		}
		if err := compare("InstanceGroup/"+group.Name, stored, group); err != nil {
			return nil, err
		}
	}
	for _, group := range s.removedGroups() {
		out = append(out, plan.Change{
			Layer: plan.Kops, Op: plan.Delete, Resource: "InstanceGroup/" + group.Name,
			Reason: "no longer declared; its machines are drained by nobody: move their load away first",
		})
	}
	return out, nil
}

// dryRun is kops' own: what it would create, modify and delete, a prune
// included. It works on copies, since kops completes specs in place.
func (s *session) dryRun(ctx context.Context) ([]plan.Change, error) {
	cmd, err := s.update(ctx, cloudup.TargetDryRun, s.declared.DeepCopy(), s.copyGroups(), updateOptions{prune: true})
	if err != nil {
		return nil, err
	}
	target, ok := cmd.Target.(*fi.CloudupDryRunTarget)
	if !ok {
		return nil, fmt.Errorf("kops' dry run ended with a %T", cmd.Target)
	}
	return extract(target, cmd.TaskMap)
}

func (s *session) copyGroups() []*api.InstanceGroup {
	out := make([]*api.InstanceGroup, len(s.declaredGroups))
	for i, group := range s.declaredGroups {
		out[i] = group.DeepCopy()
	}
	return out
}

// planRolls lists the groups whose machines would be replaced: those that run
// an older launch template already, and those whose launch template is about
// to change.
func (s *session) planRolls(ctx context.Context, tasks []plan.Change) ([]plan.Change, error) {
	// Without the API only the machines' own state is known, which is no
	// reason to fail a plan.
	nodes, _ := s.nodes(ctx, planAPITimeout)
	groups, err := s.cloudGroups(s.declaredGroups, nodes)
	if err != nil {
		return nil, err
	}
	changed := map[string][]string{}
	for _, task := range tasks {
		if template, ok := strings.CutPrefix(task.Resource, "LaunchTemplate/"); ok && task.Op == plan.Update {
			for _, field := range task.Diff {
				changed[template] = append(changed[template], field.Path)
			}
		}
	}
	var out []plan.Change
	for _, group := range s.declaredGroups {
		machines := groups[group.Name]
		if machines == nil {
			continue
		}
		total := len(machines.Ready) + len(machines.NeedUpdate)
		outdated := len(machines.NeedUpdate)
		var reason string
		switch fields := changed[launchTemplateName(group, s.declared)]; {
		case total == 0:
			continue
		case len(fields) > 0:
			reason = fmt.Sprintf("%d of %d instances: their launch template changes (%s)", total, total, strings.Join(topLevel(fields), ", "))
		case outdated > 0:
			reason = fmt.Sprintf("%d of %d instances need a rolling update: %s", outdated, total, strings.Join(needUpdateReasons(machines), "; "))
		default:
			continue
		}
		out = append(out, plan.Change{Layer: plan.Kops, Op: plan.Roll, Resource: "InstanceGroup/" + group.Name, Reason: reason})
	}
	return out, nil
}

// launchTemplateName is the name that kops gives a group's launch template
// and Auto Scaling group: its own with the cluster's, and "master" for what
// kops once called the control plane.
func launchTemplateName(group *api.InstanceGroup, cluster *api.Cluster) string {
	if group.Spec.Role == api.InstanceGroupRoleControlPlane {
		return group.Name + ".masters." + cluster.Name
	}
	return group.Name + "." + cluster.Name
}

func topLevel(paths []string) []string {
	var out []string
	for _, path := range paths {
		name := path
		if i := strings.IndexAny(path, ".["); i > 0 {
			name = path[:i]
		}
		if len(out) == 0 || out[len(out)-1] != name {
			out = append(out, name)
		}
	}
	return out
}

func needUpdateReasons(group *cloudinstances.CloudInstanceGroup) []string {
	var out []string
	for _, instance := range group.NeedUpdate {
		reason := "was launched from an older launch template"
		if instance.Node != nil {
			if _, asked := instance.Node.Annotations["kops.k8s.io/needs-update"]; asked {
				reason = "its node carries kops.k8s.io/needs-update"
			}
		}
		out = append(out, instance.ID+" "+reason)
	}
	return out
}

// cloudGroups gives the Auto Scaling groups of some instance groups by the
// latter's names, with the machines that need an update told from the others.
func (s *session) cloudGroups(groups []*api.InstanceGroup, nodes []corev1.Node) (map[string]*cloudinstances.CloudInstanceGroup, error) {
	found, err := s.cloud.GetCloudGroups(s.declared, groups, false, nodes)
	if err != nil {
		return nil, fmt.Errorf("finding the machines of %s: %w", s.declared.Name, err)
	}
	for _, group := range found {
		group.AdjustNeedUpdate()
	}
	return found, nil
}
