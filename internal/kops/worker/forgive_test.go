package worker

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"
	"k8s.io/kops/util/pkg/awsinterfaces"
)

type refusing struct {
	awsinterfaces.EC2API
	code string
}

func (r refusing) DescribeAddresses(context.Context, *ec2.DescribeAddressesInput, ...func(*ec2.Options)) (*ec2.DescribeAddressesOutput, error) {
	return nil, &smithy.GenericAPIError{Code: r.code}
}

func TestReleasedAddressesAreForgiven(t *testing.T) {
	out, err := forgivingEC2{refusing{code: "InvalidAllocationID.NotFound"}}.DescribeAddresses(t.Context(), nil)
	if err != nil || out == nil || len(out.Addresses) != 0 {
		t.Errorf("a released address: %v, %v", out, err)
	}
	if _, err := (forgivingEC2{refusing{code: "UnauthorizedOperation"}}).DescribeAddresses(t.Context(), nil); err == nil {
		t.Error("another refusal was swallowed")
	}
}
