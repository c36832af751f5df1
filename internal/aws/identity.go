package aws

import (
	"context"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Identity is who the credentials belong to.
type Identity struct {
	Account string
	ARN     string
}

// WhoAmI asks AWS whose the credentials are. It needs no permission, so that
// an error is about the credentials or the way to AWS.
func WhoAmI(ctx context.Context, cfg awssdk.Config) (Identity, error) {
	out, err := sts.NewFromConfig(prepare(cfg)).GetCallerIdentity(ctx, nil)
	if err != nil {
		return Identity{}, failed(err, "finding out whose the credentials are")
	}
	return Identity{Account: awssdk.ToString(out.Account), ARN: awssdk.ToString(out.Arn)}, nil
}
