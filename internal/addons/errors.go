package addons

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ErrNoCluster is what Options.Connect returns while there is no cluster.
var ErrNoCluster = errors.New("there is no cluster yet")

// ObjectError is what went wrong with one object.
type ObjectError struct {
	Doing    string // applying
	Resource string // Deployment monitoring/prometheus
	Source   string // the file in git that declares it, where one does
	Err      error
}

func (e *ObjectError) Error() string {
	if e.Source == "" {
		return fmt.Sprintf("%s %s: %v", e.Doing, e.Resource, e.Err)
	}
	return fmt.Sprintf("%s %s (%s): %v", e.Doing, e.Resource, e.Source, e.Err)
}

func (e *ObjectError) Unwrap() error { return e.Err }

// ServerError means that the API server can't be used at all, so that it says
// nothing about any single object.
type ServerError struct {
	Server string
	Err    error
	// Problem and Remedy are for people: what is wrong, what to do.
	Problem, Remedy string
}

func (e *ServerError) Error() string {
	cause := e.Err.Error()
	var request *url.Error
	var status apierrors.APIStatus
	switch {
	case apierrors.IsUnauthorized(e.Err):
		return fmt.Sprintf("API server %s %s: %s", e.Server, e.Problem, e.Remedy)
	case errors.As(e.Err, &request):
		cause = request.Err.Error()
	case errors.As(e.Err, &status):
		cause = status.Status().Message
	}
	return fmt.Sprintf("API server %s %s: %s: %s", e.Server, e.Problem, cause, e.Remedy)
}

func (e *ServerError) Unwrap() error { return e.Err }

// HeldField is a field that git declares and another manager holds with
// another value.
type HeldField struct {
	Path    string
	Manager string
}

// ConflictError means that others hold fields that git declares.
type ConflictError struct {
	Resource string
	Source   string
	Fields   []HeldField
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s (%s): %s: change git to what it should be, or take the fields over with --force-conflicts", e.Resource, e.Source, heldText(e.Fields))
}

// heldText says who holds what: spec.replicas is held by kubectl-edit.
func heldText(fields []HeldField) string {
	texts := make([]string, len(fields))
	for i, f := range fields {
		texts[i] = fmt.Sprintf("%s is held by %s", f.Path, f.Manager)
	}
	return strings.Join(texts, ", ")
}

// NotReadyError means that a resource isn't becoming ready.
type NotReadyError struct {
	Resource string
	Source   string // the file in git that declares it
	Reason   string
	// After is how long one may wait for it.
	After time.Duration
	// Final means that it was not waited for so long, since that is of no
	// use.
	Final bool
	// Undoable means that `kubectl rollout undo` has an earlier revision to go
	// back to.
	Undoable bool
}

func (e *NotReadyError) Error() string {
	if e.Final {
		return fmt.Sprintf("%s: failed: %s", e.Resource, e.Reason)
	}
	return fmt.Sprintf("%s: not ready after %s: %s", e.Resource, roundTime(e.After), e.Reason)
}

func roundTime(d time.Duration) string {
	text := d.Round(time.Second).String()
	if text == "0s" {
		return d.Round(time.Millisecond).String()
	}
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	return text
}

// ForeignSetError means that the parent object of one of our sets is there
// already and belongs to another tool, repository, cluster or file.
type ForeignSetError struct {
	Resource string
	Tooling  string
	Owner    string
}

func (e *ForeignSetError) Error() string {
	if e.Tooling == "" {
		return fmt.Sprintf("%s is there already and isn't the parent of an apply set: rename or delete it", e.Resource)
	}
	return fmt.Sprintf("%s is the parent of another apply set (tooling %q, %s): nothing of it is touched; delete that object if its set is no longer in use", e.Resource, e.Tooling, e.Owner)
}

// explain turns an error that is about the server, not about the request,
// into a ServerError. Others it returns as they are.
func explain(server string, err error) error {
	var known *ServerError
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return err
	}
	e := &ServerError{Server: server, Err: err}
	var (
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
		certificate x509.CertificateInvalidError
		network     net.Error
	)
	switch {
	case apierrors.IsUnauthorized(err):
		e.Problem, e.Remedy = "refuses the credentials", "they have expired or are another cluster's; export the kubeconfig again"
	case errors.As(err, &authority), errors.As(err, &hostname), errors.As(err, &certificate):
		e.Problem, e.Remedy = "isn't the one that the kubeconfig trusts", "export the kubeconfig again, or find out who answers at that address"
	case errors.As(err, &network), errors.Is(err, context.DeadlineExceeded):
		e.Problem, e.Remedy = "can't be reached", "is the cluster running, and this machine inside its network (VPN, proxy)?"
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "cannot "):
		// Admission refuses with 403 as well; that is about the object.
		e.Problem, e.Remedy = "doesn't allow it", "use credentials that may administer the cluster"
	default:
		return err
	}
	return e
}

// join makes one error of many, by index. One that is about the server or a
// cancelled context says everything, however many requests ran into it.
func join(errs []error) error {
	for _, err := range errs {
		var server *ServerError
		if errors.As(err, &server) {
			return server
		}
	}
	for _, err := range errs {
		if errors.Is(err, context.Canceled) {
			return context.Canceled
		}
	}
	return errors.Join(errs...)
}

var conflictManager = regexp.MustCompile(`conflict with "([^"]+)"`)

// heldFields reads from a conflict who holds what. The API server gives the
// manager's name in a sentence only.
func heldFields(err error) []HeldField {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return nil
	}
	details := status.Status().Details
	if details == nil {
		return nil
	}
	var out []HeldField
	for _, cause := range details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		manager := "another manager"
		if m := conflictManager.FindStringSubmatch(cause.Message); m != nil {
			manager = m[1]
		}
		out = append(out, HeldField{Path: strings.TrimPrefix(cause.Field, "."), Manager: manager})
	}
	return out
}

// isImmutable reports whether an update was refused only because it changes
// fields that can't change, so that the object would have to be made anew.
func isImmutable(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) {
		return false
	}
	details := status.Status().Details
	if details == nil || len(details.Causes) == 0 {
		return false
	}
	for _, cause := range details.Causes {
		if !immutable.MatchString(cause.Message) {
			return false
		}
	}
	return true
}

// immutable matches the sentences by which the API server's validation refuses
// to change a field.
var immutable = regexp.MustCompile(`immutable|may not (be )?change|cannot change roleRef|updates to .* are forbidden`)
