package worker

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"k8s.io/kops/upup/pkg/fi/cloudup/awsup"
	"k8s.io/kops/util/pkg/awsinterfaces"
)

// forgiving is a cloud in which an address that was released is one that isn't
// there. A deletion that was interrupted leaves route tables that name NAT
// gateways which AWS lists as deleted for an hour, with the addresses that they
// had; kops (pkg/resources/aws, of 1.36.2) looks those up and gives up when they
// are gone, so that the deletion couldn't be finished.
type forgiving struct{ awsup.AWSCloud }

func (c forgiving) EC2() awsinterfaces.EC2API { return forgivingEC2{c.AWSCloud.EC2()} }

type forgivingEC2 struct{ awsinterfaces.EC2API }

func (e forgivingEC2) DescribeAddresses(ctx context.Context, in *ec2.DescribeAddressesInput, options ...func(*ec2.Options)) (*ec2.DescribeAddressesOutput, error) {
	out, err := e.EC2API.DescribeAddresses(ctx, in, options...)
	if awsup.AWSErrorCode(err) == "InvalidAllocationID.NotFound" {
		return &ec2.DescribeAddressesOutput{}, nil
	}
	return out, err
}
