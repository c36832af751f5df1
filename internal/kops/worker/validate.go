package worker

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
	api "k8s.io/kops/pkg/apis/kops"
	"k8s.io/kops/pkg/apis/kops/validation"
	"k8s.io/kops/util/pkg/vfs"

	"platform/internal/kops"
)

// validate judges the manifests by themselves, as `kops create -f` would before
// it asks AWS anything. It needs no network and no credentials.
func validate(request kops.Request) (*kops.Result, error) {
	s := &session{request: request}
	result := &kops.Result{}
	if err := s.decode(); err != nil {
		if unknown := new(unknownFieldError); errors.As(err, &unknown) {
			result.Problems = []kops.Problem{{Resource: unknown.resource, Path: unknown.path, Message: unknownField}}
			return result, nil
		}
		invalid := new(kops.Error)
		if !errors.As(err, &invalid) || invalid.Kind != kops.KindInvalid {
			return nil, err
		}
		result.Problems = []kops.Problem{{Message: invalid.Message}}
		return result, nil
	}
	cluster := "Cluster/" + s.declared.Name
	result.Problems = append(result.Problems, problems(cluster, validation.ValidateCluster(s.declared, false, vfs.Context))...)
	roles := map[api.InstanceGroupRole]int{}
	for _, group := range s.declaredGroups {
		roles[group.Spec.Role]++
		result.Problems = append(result.Problems, problems("InstanceGroup/"+group.Name, validation.CrossValidateInstanceGroup(group, s.declared, nil, false))...)
	}
	for _, role := range []api.InstanceGroupRole{api.InstanceGroupRoleControlPlane, api.InstanceGroupRoleNode} {
		if roles[role] == 0 {
			result.Problems = append(result.Problems, kops.Problem{Resource: cluster, Message: fmt.Sprintf("no instance group has the role %s", role)})
		}
	}
	return result, nil
}

func problems(resource string, errs field.ErrorList) []kops.Problem {
	out := make([]kops.Problem, len(errs))
	for i, err := range errs {
		out[i] = kops.Problem{Resource: resource, Path: err.Field, Message: err.ErrorBody()}
	}
	slices.SortStableFunc(out, func(a, b kops.Problem) int { return cmp.Compare(a.Path, b.Path) })
	return out
}
