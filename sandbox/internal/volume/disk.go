package volume

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	corev1 "k8s.io/api/core/v1"
)

// nameTag is the tag by which the EBS driver finds a volume that it made before
// and whose PersistentVolume it couldn't write.
const nameTag = "CSIVolumeName"

// ensureDisk gives the EC2 volume for a claim, with the tags that the EBS driver
// gives it under kops: by them kops deletes it with the cluster.
func (c *Controller) ensureDisk(ctx context.Context, name, zone string, parameters map[string]string, size int64, claim *corev1.PersistentVolumeClaim) (string, error) {
	found, err := c.ec2.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{Filters: []types.Filter{{Name: aws.String("tag:" + nameTag), Values: []string{name}}}})
	if err != nil {
		return "", fmt.Errorf("looking for its EC2 volume: %w", err)
	}
	if len(found.Volumes) > 0 {
		return aws.ToString(found.Volumes[0].VolumeId), nil
	}
	kind := types.VolumeType(parameters["type"])
	if kind == "" {
		kind = types.VolumeTypeGp3
	}
	tags := map[string]string{
		nameTag: name, "ebs.csi.aws.com/cluster": "true",
		"KubernetesCluster": c.cluster, "kubernetes.io/cluster/" + c.cluster: "owned",
		"kubernetes.io/created-for/pv/name":       name,
		"kubernetes.io/created-for/pvc/name":      claim.Name,
		"kubernetes.io/created-for/pvc/namespace": claim.Namespace,
		"Name": c.cluster + "-dynamic-" + name,
	}
	specification := types.TagSpecification{ResourceType: types.ResourceTypeVolume}
	for key, value := range tags {
		specification.Tags = append(specification.Tags, types.Tag{Key: aws.String(key), Value: aws.String(value)})
	}
	made, err := c.ec2.CreateVolume(ctx, &ec2.CreateVolumeInput{
		AvailabilityZone: &zone, VolumeType: kind, Size: aws.Int32(gibibytes(size)),
		Encrypted: aws.Bool(parameters["encrypted"] == "true"), TagSpecifications: []types.TagSpecification{specification},
	})
	if err != nil {
		return "", fmt.Errorf("creating its EC2 volume: %w", err)
	}
	return aws.ToString(made.VolumeId), nil
}

func (c *Controller) deleteDisk(ctx context.Context, id string) error {
	_, err := c.ec2.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: &id})
	var failure smithy.APIError
	if errors.As(err, &failure) && failure.ErrorCode() == "InvalidVolume.NotFound" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("deleting EC2 volume %s: %w", id, err)
	}
	return nil
}

// gibibytes rounds up, as EBS has whole ones only.
func gibibytes(bytes int64) int32 { return int32(max(1, (bytes+1<<30-1)>>30)) }
