package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	api "k8s.io/kops/pkg/apis/kops"
	"k8s.io/kops/pkg/apis/kops/validation"
	"k8s.io/kops/pkg/client/simple"
	"k8s.io/kops/pkg/client/simple/vfsclientset"
	"k8s.io/kops/pkg/kopscodecs"
	"k8s.io/kops/upup/pkg/fi"
	"k8s.io/kops/upup/pkg/fi/cloudup"
	"k8s.io/kops/util/pkg/vfs"

	"platform/internal/kops"
	"platform/internal/plan"
)

// session is what every verb works on: the declared objects, those in the
// state store, and the clients.
type session struct {
	request kops.Request
	report  plan.Report

	clientset simple.Clientset
	cloud     fi.Cloud

	// declared is the Cluster as git has it, with kops' assignments.
	declared *api.Cluster
	// declaredGroups are the InstanceGroups as git has them, with the target
	// groups that the nodes register with.
	declaredGroups []*api.InstanceGroup
	// stored is the Cluster in the state store, nil if there is none.
	stored *api.Cluster
	// storedGroups are the InstanceGroups in the state store by name.
	storedGroups map[string]*api.InstanceGroup

	// admin is the connection that was issued, so that one is enough.
	admin *kops.Connection
	// applied says that kops has been through once in this process.
	applied bool
}

func open(ctx context.Context, request kops.Request, report plan.Report) (*session, error) {
	if err := checkEndpoints(os.Getenv("AWS_ENDPOINT_URL"), os.Getenv("S3_ENDPOINT")); err != nil {
		return nil, err
	}
	s := &session{request: request, report: report}
	if err := s.decode(); err != nil {
		if unknown := new(unknownFieldError); errors.As(err, &unknown) {
			err = &kops.Error{Kind: kops.KindInvalid, Message: unknown.Error()}
		}
		return nil, err
	}
	basePath, err := vfs.Context.BuildVfsPath(request.Spec.StateStore)
	if err != nil {
		return nil, &kops.Error{Kind: kops.KindInvalid, Message: fmt.Sprintf("kops.stateStore %q: %v", request.Spec.StateStore, err)}
	}
	s.clientset = vfsclientset.NewVFSClientset(vfs.Context, basePath)
	if err := s.readStore(ctx); err != nil {
		return nil, err
	}
	if s.cloud, err = cloudup.BuildCloud(s.declared); err != nil {
		return nil, fmt.Errorf("connecting to AWS: %w", err)
	}
	if err := cloudup.PerformAssignments(s.declared, vfs.Context, s.cloud); err != nil {
		return nil, fmt.Errorf("completing the spec of %s: %w", s.declared.Name, err)
	}
	return s, nil
}

// checkEndpoints refuses an S3 endpoint that isn't part of a wholly emulated
// AWS: kops writes that endpoint's keys into the machines' user data.
func checkEndpoints(aws, s3 string) error {
	if s3 == "" {
		return nil
	}
	awsURL, awsErr := url.Parse(aws)
	s3URL, s3Err := url.Parse(s3)
	if aws == "" || awsErr != nil || s3Err != nil || awsURL.Host != s3URL.Host {
		return &kops.Error{Kind: kops.KindStateStore, Message: "kops: S3_ENDPOINT is set, and kops would write S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY into the user data of the machines; unset it to use the state store with the ordinary AWS credentials"}
	}
	return nil
}

// decode reads the manifests with kops' own codec, which refuses what kops'
// API doesn't know.
func (s *session) decode() error {
	for _, doc := range s.request.Spec.Documents() {
		decoded, gvk, err := kopscodecs.Decode(doc, nil)
		if err != nil {
			return &kops.Error{Kind: kops.KindInvalid, Message: fmt.Sprintf("kops spec: %v", err)}
		}
		if err := refuseUnknownFields(doc, decoded); err != nil {
			return err
		}
		switch o := decoded.(type) {
		case *api.Cluster:
			s.declared = o
		case *api.InstanceGroup:
			if o.Spec.Role == api.InstanceGroupRoleNode {
				for _, arn := range s.request.TargetGroups {
					o.Spec.ExternalLoadBalancers = append(o.Spec.ExternalLoadBalancers, api.LoadBalancerSpec{TargetGroupARN: &arn})
				}
			}
			s.declaredGroups = append(s.declaredGroups, o)
		default:
			return &kops.Error{Kind: kops.KindInvalid, Message: fmt.Sprintf("kops spec: want a Cluster or an InstanceGroup, got %s", gvk)}
		}
	}
	return nil
}

// refuseUnknownFields finds fields that kops' codec silently drops, such as a
// misspelt one: what is declared must still be there when the object is
// encoded again.
func refuseUnknownFields(declared json.RawMessage, decoded any) error {
	o, ok := decoded.(interface {
		metav1.Object
		metav1.ObjectMetaAccessor
	})
	if !ok {
		return nil
	}
	again, err := encode(decoded)
	if err != nil {
		return err
	}
	var want map[string]any
	if err := json.Unmarshal(declared, &want); err != nil {
		return err
	}
	if path := missing("", want, again); path != "" {
		return &unknownFieldError{resource: fmt.Sprintf("%v/%s", want["kind"], o.GetName()), path: path}
	}
	return nil
}

// unknownFieldError is a field of a manifest that kops doesn't know.
type unknownFieldError struct{ resource, path string }

const unknownField = "kops knows no such field"

func (e *unknownFieldError) Error() string {
	return fmt.Sprintf("kops spec: %s: %s: %s", strings.Replace(e.resource, "/", " ", 1), e.path, unknownField)
}

// missing gives the path of a field of want that have has not, by name alone.
// Empty values needn't survive an encoding.
func missing(path string, want, have any) string {
	switch w := want.(type) {
	case map[string]any:
		h, _ := have.(map[string]any)
		for _, key := range sortedKeys(w) {
			if isEmpty(w[key]) {
				continue
			}
			if _, ok := h[key]; !ok {
				return plan.JoinPath(path, key)
			}
			if found := missing(plan.JoinPath(path, key), w[key], h[key]); found != "" {
				return found
			}
		}
	case []any:
		h, _ := have.([]any)
		for i, item := range w {
			if i < len(h) {
				if found := missing(fmt.Sprintf("%s[%d]", path, i), item, h[i]); found != "" {
					return found
				}
			}
		}
	}
	return ""
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case float64:
		return v == 0
	case int64:
		return v == 0
	case uint64:
		return v == 0
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, item := range v {
			if !isEmpty(item) {
				return false
			}
		}
		return true
	}
	return false
}

func (s *session) readStore(ctx context.Context) error {
	name := s.declared.Name
	stored, err := s.clientset.GetCluster(ctx, name)
	if apierrors.IsNotFound(err) || (err == nil && stored == nil) {
		return s.checkStore(ctx)
	}
	if err != nil {
		return storeError(s.request.Spec.StateStore, err)
	}
	groups, err := s.clientset.InstanceGroupsFor(stored).List(ctx, metav1.ListOptions{})
	if err != nil {
		return storeError(s.request.Spec.StateStore, err)
	}
	s.stored = stored
	s.storedGroups = make(map[string]*api.InstanceGroup, len(groups.Items))
	for i := range groups.Items {
		s.storedGroups[groups.Items[i].Name] = &groups.Items[i]
	}
	// What the store adds by itself is no difference.
	s.declared.CreationTimestamp = stored.CreationTimestamp
	s.declared.Generation = stored.Generation
	if s.declared.Spec.ConfigStore.Base == "" {
		s.declared.Spec.ConfigStore.Base = stored.Spec.ConfigStore.Base
	}
	for _, group := range s.declaredGroups {
		if old := s.storedGroups[group.Name]; old != nil {
			group.CreationTimestamp = old.CreationTimestamp
			group.Generation = old.Generation
		}
	}
	return nil
}

// checkStore tells an empty state store from one that isn't there, which look
// alike to whoever reads one object.
func (s *session) checkStore(ctx context.Context) error {
	base, err := vfs.Context.BuildVfsPath(s.request.Spec.StateStore)
	if err != nil {
		return err
	}
	if s.declared.Spec.ConfigStore.Base == "" {
		s.declared.Spec.ConfigStore.Base = base.Join(s.declared.Name).Path()
	}
	if _, err := base.Join(s.declared.Name).ReadTree(ctx); err != nil && !errors.Is(err, os.ErrNotExist) {
		return storeError(s.request.Spec.StateStore, err)
	}
	return nil
}

func storeError(store string, err error) error {
	if kind := kindOf(err); kind != "" {
		return &kops.Error{Kind: kind, Message: fmt.Sprintf("kops: reading the state store %s: %v", store, err)}
	}
	return &kops.Error{Kind: kops.KindStateStore, Message: fmt.Sprintf("kops: reading the state store %s: %v; does the bucket exist, and may these credentials read it?", store, err)}
}

// kindOf classes errors of the AWS SDK, which kops wraps as text often enough
// that types alone don't find them.
func kindOf(err error) kops.ErrorKind {
	text := err.Error()
	for _, hint := range []string{"get credentials", "no EC2 IMDS role", "InvalidClientTokenId", "UnrecognizedClientException", "ExpiredToken", "AuthFailure", "SignatureDoesNotMatch", "InvalidAccessKeyId", "failed to refresh cached credentials"} {
		if strings.Contains(text, hint) {
			return kops.KindCredentials
		}
	}
	if strings.Contains(text, "NoSuchBucket") {
		return kops.KindStateStore
	}
	return ""
}

// removedGroups are the stored groups that git no longer has, by name.
func (s *session) removedGroups() []*api.InstanceGroup {
	var out []*api.InstanceGroup
	for _, name := range sortedKeys(s.storedGroups) {
		if !slices.ContainsFunc(s.declaredGroups, func(g *api.InstanceGroup) bool { return g.Name == name }) {
			out = append(out, s.storedGroups[name])
		}
	}
	return out
}

// validate asks kops whether the declared change of a cluster is allowed.
func (s *session) validate() error {
	var problems []error
	if s.stored != nil {
		status, err := s.cloud.FindClusterStatus(s.declared)
		if err != nil {
			return fmt.Errorf("finding the status of %s: %w", s.declared.Name, err)
		}
		if err := validation.ValidateClusterUpdate(s.declared, status, s.stored, vfs.Context).ToAggregate(); err != nil {
			problems = append(problems, err)
		}
	} else if err := validation.ValidateCluster(s.declared, false, vfs.Context).ToAggregate(); err != nil {
		problems = append(problems, err)
	}
	if len(problems) > 0 {
		return invalid(s.declared.Name, errors.Join(problems...))
	}
	return nil
}

func invalid(cluster string, err error) error {
	return &kops.Error{Kind: kops.KindInvalid, Message: fmt.Sprintf("kops refuses the spec of %s: %v", cluster, err)}
}

// encode gives an object as it stands in the state store, as plain data.
func encode(o any) (map[string]any, error) {
	var text []byte
	var err error
	switch o := o.(type) {
	case *api.Cluster:
		text, err = kopscodecs.ToVersionedJSON(o)
	case *api.InstanceGroup:
		text, err = kopscodecs.ToVersionedJSON(o)
	default:
		return nil, fmt.Errorf("kops worker: %T is no kops object", o)
	}
	if err != nil {
		return nil, err
	}
	var data map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&data); err != nil {
		return nil, err
	}
	if metadata, ok := data["metadata"].(map[string]any); ok {
		delete(metadata, "creationTimestamp")
		delete(metadata, "generation")
	}
	return data, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
