package aws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// Kind says what sort of trouble an Error is.
type Kind string

// The kinds. What is none of them is KindOther.
const (
	KindCredentials  Kind = "credentials"
	KindAccessDenied Kind = "access denied"
	KindUnreachable  Kind = "unreachable"
	KindThrottled    Kind = "throttled"
	KindQuota        Kind = "quota"
	KindOther        Kind = "other"
)

// Error is a call to AWS that failed.
type Error struct {
	// Doing is what was being done, such as "listing the load balancers".
	Doing string
	Kind  Kind
	// Problem says what is wrong, Remedy what to do about it; both are empty
	// where AWS's own words have to do.
	Problem, Remedy string
	Err             error
}

func (e *Error) Error() string {
	if e.Problem == "" {
		return fmt.Sprintf("aws: %s: %s", e.Doing, brief(e.Err))
	}
	return fmt.Sprintf("aws: %s: %s: %s", e.Doing, e.Problem, e.Remedy)
}

func (e *Error) Unwrap() error { return e.Err }

// brief leaves out what the SDK says about how a call travelled.
func brief(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return fmt.Sprintf("%s (%s)", strings.TrimSuffix(api.ErrorMessage(), "."), api.ErrorCode())
	}
	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		return operation.Unwrap().Error()
	}
	return err.Error()
}

// failed explains an error of the SDK. It returns nil for nil and leaves alone
// what has been explained already.
func failed(err error, doing string, args ...any) error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return err
	}
	e := &Error{Doing: fmt.Sprintf(doing, args...), Kind: KindOther, Err: err}
	var (
		noCredentials *credentialsError
		noRegion      *awssdk.MissingRegionError
		api           smithy.APIError
		network       net.Error
	)
	switch {
	case errors.As(err, &noCredentials):
		e.Kind, e.Problem = KindCredentials, "no AWS credentials were found"
		if strings.Contains(err.Error(), "SSO") {
			e.Problem = "the single sign-on session has expired"
		}
		e.Remedy = credentialsRemedy
	case errors.As(err, &noRegion):
		e.Kind, e.Problem, e.Remedy = KindUnreachable, "no region is set", "set aws.region in the cluster's cluster.jsonnet"
	case errors.As(err, &api):
		e.explain(api)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network):
		e.Kind, e.Problem = KindUnreachable, fmt.Sprintf("AWS can't be reached (%s)", root(err))
		e.Remedy = "check this machine's network and proxy, the region in the cluster's cluster.jsonnet and AWS_ENDPOINT_URL"
	}
	return e
}

const credentialsRemedy = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and try `aws sts get-caller-identity`"

// Codes as the services document them; EC2's have names of their own.
var (
	badCredentials = []string{"AuthFailure", "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId", "RequestExpired", "SignatureDoesNotMatch", "UnrecognizedClientException"}
	denied         = []string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
	quota          = []string{"RulesPerSecurityGroupLimitExceeded", "SecurityGroupLimitExceeded", "TooManyListeners", "TooManyLoadBalancers", "TooManyRegistrationsForTargetId", "TooManyTargetGroups", "TooManyUniqueTargetGroupsPerLoadBalancer"}
)

func (e *Error) explain(api smithy.APIError) {
	code := api.ErrorCode()
	_, throttled := retry.DefaultThrottleErrorCodes[code]
	switch {
	case slices.Contains(badCredentials, code):
		e.Kind, e.Problem, e.Remedy = KindCredentials, fmt.Sprintf("AWS refuses the credentials (%s)", code), "they are wrong, expired, or the region isn't enabled for the account; "+credentialsRemedy
	case slices.Contains(denied, code):
		e.Kind, e.Problem = KindAccessDenied, "AWS doesn't allow "+e.action(api)
		if who := principal.FindStringSubmatch(api.ErrorMessage()); who != nil {
			e.Problem += " to " + who[1]
		}
		e.Remedy = "docs/iam-policy.json lists what the tool needs"
	case throttled:
		e.Kind, e.Problem, e.Remedy = KindThrottled, fmt.Sprintf("AWS throttles requests from this account (%s)", code), "wait a minute and run it again; it goes on where it stopped"
	case slices.Contains(quota, code):
		e.Kind, e.Problem, e.Remedy = KindQuota, fmt.Sprintf("a quota of the account is used up (%s)", code), "delete what is no longer needed, or ask for more in Service Quotas"
	}
}

var (
	principal = regexp.MustCompile(`[Uu]ser: (\S+) is not authorized`)
	action    = regexp.MustCompile(`not authorized to perform: ([a-z0-9]+:[A-Za-z0-9]+)`)
)

// action names the permission that is missing: AWS says it in most services,
// else it has the name of the call.
func (e *Error) action(api smithy.APIError) string {
	if m := action.FindStringSubmatch(api.ErrorMessage()); m != nil {
		return m[1]
	}
	var operation *smithy.OperationError
	if errors.As(e.Err, &operation) {
		return permission(operation.Service(), operation.Operation())
	}
	return "the call"
}

// root is the last error of a chain: what the network said.
func root(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// hasCode reports whether AWS answered with one of the codes.
func hasCode(err error, codes ...string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode())
}

// ForeignError is something that exists under a name that git wants and that
// isn't the cluster's.
type ForeignError struct {
	Resource string
	// Found says what is there and why it isn't ours.
	Found  string
	Remedy string
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("aws: %s: %s: %s", e.Resource, e.Found, e.Remedy)
}

// DuplicateError means that several things are marked as the one.
type DuplicateError struct {
	Kind    string
	Cluster string
	IDs     []string
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("aws: there are %d %s of cluster %s where there should be one: %s: delete those that aren't in use, or take off their tag %s",
		len(e.IDs), e.Kind, e.Cluster, strings.Join(e.IDs, ", "), tagCluster)
}

// ZoneError means that it isn't clear where the wildcard record belongs.
type ZoneError struct {
	Name string
	// Found are the IDs of the zones with that name.
	Found []string
}

func (e *ZoneError) Error() string {
	if len(e.Found) == 0 {
		return fmt.Sprintf("aws: hosted zone %s: there is none in this account: create it (docs/aws.md) or correct aws.hostedZone in the cluster's cluster.jsonnet", e.Name)
	}
	return fmt.Sprintf("aws: hosted zone %s: there are %d zones with this name (%s) and it isn't clear which one is meant: delete those that aren't in use",
		e.Name, len(e.Found), strings.Join(e.Found, ", "))
}

// MissingError means that something of kops' isn't there yet.
type MissingError struct {
	Resource string
	Cluster  string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("aws: %s: there is none for cluster %s: kops makes it, so the kops layer has to be applied first (`platform up`)", e.Resource, e.Cluster)
}
