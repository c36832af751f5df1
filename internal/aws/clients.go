package aws

import (
	"context"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/smithy-go/middleware"
)

// callTimeout bounds one call to AWS, the SDK's retries included.
const callTimeout = time.Minute

// clients are the SDK's, as they come.
type clients struct {
	ec2     *ec2.Client
	elb     *elb.Client
	route53 *route53.Client
}

func newClients(cfg awssdk.Config) clients {
	cfg = prepare(cfg)
	return clients{ec2: ec2.NewFromConfig(cfg), elb: elb.NewFromConfig(cfg), route53: route53.NewFromConfig(cfg)}
}

// prepare bounds every call and makes failures to get credentials tell apart
// from failures of the call itself.
func prepare(cfg awssdk.Config) awssdk.Config {
	cfg = cfg.Copy()
	if cfg.Credentials != nil {
		cfg.Credentials = credentials{cfg.Credentials}
	}
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(bound, middleware.Before)
	})
	return cfg
}

var bound = middleware.InitializeMiddlewareFunc("PlatformCallTimeout",
	func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		return next.HandleInitialize(ctx, in)
	})

type credentials struct{ awssdk.CredentialsProvider }

func (c credentials) Retrieve(ctx context.Context) (awssdk.Credentials, error) {
	found, err := c.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return found, &credentialsError{err}
	}
	return found, nil
}

// credentialsError means that there are no credentials to make a call with.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }
