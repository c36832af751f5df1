package objects

import (
	"encoding/json"
	"fmt"

	"platform/internal/check"
	"platform/internal/check/pods"
)

// roleBinding checks the role and the service accounts of a binding. Users and
// groups exist outside of the cluster.
func (r *refs) roleBinding() {
	const group = "rbac.authorization.k8s.io"
	object := r.o.object.Object
	ref := fields(object, "roleRef")
	target := id{group: group, kind: text(ref, "kind"), name: nameOf(ref)}
	if target.kind == "Role" {
		target.namespace = r.o.namespace
	}
	r.want("roleRef.name", target)
	subjects := list(object, "subjects")
	for i, subject := range subjects {
		if text(subject, "kind") != "ServiceAccount" {
			continue
		}
		path := pods.Element("subjects", i, subjects, nameOf)
		namespace := text(subject, "namespace")
		if namespace == "" {
			r.say(path, "Set namespace.", "the service account %s has no namespace", nameOf(subject))
			continue
		}
		r.want(path+".name", id{kind: "ServiceAccount", namespace: namespace, name: nameOf(subject)})
	}
}

// accountPermissions finds roles in AWS that kops makes for service accounts that
// aren't there.
func accountPermissions(c *cluster) []check.Finding {
	var declaration struct {
		Kops struct {
			Cluster struct {
				Spec struct {
					IAM struct {
						ServiceAccountExternalPermissions []struct{ Namespace, Name string }
					}
				}
			}
		}
	}
	// What isn't of this form is for the rule about the declaration to find.
	if json.Unmarshal(c.rendered.Declaration, &declaration) != nil {
		return nil
	}
	var out []check.Finding
	accounts := declaration.Kops.Cluster.Spec.IAM.ServiceAccountExternalPermissions
	for i, account := range accounts {
		target := id{kind: "ServiceAccount", namespace: account.Namespace, name: account.Name}
		if !c.has(target) {
			path := fmt.Sprintf("kops.cluster.spec.iam.serviceAccountExternalPermissions[%d]", i)
			out = append(out, check.OnDeclaration(c.rendered, path).Saying(
				"gives permissions in AWS to a service account that isn't there: "+c.missing(target), fixMissing))
		}
	}
	return out
}
