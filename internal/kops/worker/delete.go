package worker

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/kops/pkg/resources"
	"k8s.io/kops/pkg/resources/ops"
	"k8s.io/kops/upup/pkg/fi/cloudup/awsup"

	"platform/internal/kops"
	"platform/internal/plan"
)

// owned lists the AWS resources that kops would delete with the cluster:
// everything of its that isn't shared with others.
func (s *session) owned() (map[string]*resources.Resource, error) {
	cloud := s.cloud
	if c, ok := cloud.(awsup.AWSCloud); ok {
		cloud = forgiving{c}
	}
	all, err := ops.ListResources(cloud, s.declared)
	if err != nil {
		return nil, fmt.Errorf("listing the resources of %s: %w", s.declared.Name, err)
	}
	owned := make(map[string]*resources.Resource, len(all))
	for key, resource := range all {
		if !resource.Shared {
			owned[key] = resource
		}
	}
	return owned, nil
}

func (s *session) planDelete(context.Context) (*kops.Result, error) {
	owned, err := s.owned()
	if err != nil {
		return nil, err
	}
	result := &kops.Result{Exists: s.stored != nil}
	for _, resource := range owned {
		result.Changes = append(result.Changes, deletion(resource))
	}
	slices.SortFunc(result.Changes, func(a, b plan.Change) int { return cmp.Compare(a.Resource, b.Resource) })
	if s.stored != nil {
		result.Changes = append(result.Changes, plan.Change{
			Layer: plan.Kops, Op: plan.Delete, Resource: "Cluster/" + s.declared.Name,
			Reason: "its state in " + s.request.Spec.StateStore + ": spec, keys, etcd backups",
		})
	}
	return result, nil
}

func deletion(resource *resources.Resource) plan.Change {
	name := resource.Type + ":" + resource.ID
	if resource.Name != "" && resource.Name != resource.ID {
		name += " " + resource.Name
	}
	return plan.Change{Layer: plan.Kops, Op: plan.Delete, Resource: name}
}

// Pace of kops' own delete: how long between two rounds over what couldn't be
// deleted yet, and how many rounds may go by without progress.
const (
	deleteInterval = 2 * time.Second
	deleteRounds   = 42
)

// delete deletes the AWS resources first and the state last, since the state
// says what the cluster was: interrupted in between, it can be run again.
func (s *session) delete(context.Context) (*kops.Result, error) {
	owned, err := s.owned()
	if err != nil {
		return nil, err
	}
	result := &kops.Result{}
	if err := ops.DeleteResources(s.cloud, owned, deleteRounds, deleteInterval, s.request.Settings.DeleteTimeout); err != nil {
		return result, fmt.Errorf("deleting the resources of %s: %w", s.declared.Name, err)
	}
	for _, key := range sortedKeys(owned) {
		result.Changes = append(result.Changes, deletion(owned[key]))
	}
	if s.stored == nil {
		return result, nil
	}
	if err := s.clientset.DeleteCluster(context.Background(), s.stored); err != nil {
		return result, fmt.Errorf("deleting the state of %s in %s: %w", s.declared.Name, s.request.Spec.StateStore, err)
	}
	result.Changes = append(result.Changes, plan.Change{Layer: plan.Kops, Op: plan.Delete, Resource: "Cluster/" + s.declared.Name})
	s.report(plan.Event{Layer: plan.Kops, Resource: "Cluster/" + s.declared.Name, Action: "deleted"})
	return result, nil
}
