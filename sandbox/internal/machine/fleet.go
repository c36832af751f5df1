package machine

import (
	"context"
	"encoding/base64"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// clusterTag is the tag by which kops finds what belongs to a cluster.
const clusterTag = "KubernetesCluster"

// Machine is an instance as a cluster sees it.
type Machine struct {
	ID         string
	Cluster    string
	Type       string
	Zone       string
	Region     string
	PrivateIP  string
	PrivateDNS string
	Arch       string
	// Lifecycle is "spot" for such an instance, empty otherwise.
	Lifecycle  string
	RootVolume string
	Tags       map[string]string
	Launched   time.Time
}

// Size is what a machine has to offer.
type Size struct {
	CPUs        int32
	MemoryBytes int64
	DiskBytes   int64
}

// Fleet reads EC2.
type Fleet struct {
	client *ec2.Client
	region string

	mu    sync.Mutex
	sizes map[string]Size
}

// NewFleet gives the fleet of a region.
func NewFleet(config aws.Config) *Fleet {
	return &Fleet{client: ec2.NewFromConfig(config), region: config.Region, sizes: map[string]Size{}}
}

// List gives the instances of all clusters that are alive.
func (f *Fleet) List(ctx context.Context) ([]Machine, error) {
	pages := ec2.NewDescribeInstancesPaginator(f.client, &ec2.DescribeInstancesInput{Filters: []types.Filter{
		{Name: aws.String("tag-key"), Values: []string{clusterTag}},
		{Name: aws.String("instance-state-name"), Values: []string{"pending", "running"}},
	}})
	var out []Machine
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing instances: %w", err)
		}
		for _, reservation := range page.Reservations {
			for _, instance := range reservation.Instances {
				out = append(out, f.machine(instance))
			}
		}
	}
	return out, nil
}

func (f *Fleet) machine(instance types.Instance) Machine {
	m := Machine{
		ID: aws.ToString(instance.InstanceId), Type: string(instance.InstanceType), Region: f.region,
		PrivateIP: aws.ToString(instance.PrivateIpAddress), PrivateDNS: aws.ToString(instance.PrivateDnsName),
		Arch: "amd64", Lifecycle: string(instance.InstanceLifecycle),
		Tags: map[string]string{}, Launched: aws.ToTime(instance.LaunchTime),
	}
	if instance.Architecture == types.ArchitectureValuesArm64 {
		m.Arch = "arm64"
	}
	if instance.Placement != nil {
		m.Zone = aws.ToString(instance.Placement.AvailabilityZone)
	}
	for _, tag := range instance.Tags {
		m.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	m.Cluster = m.Tags[clusterTag]
	for _, mapping := range instance.BlockDeviceMappings {
		if mapping.Ebs != nil && aws.ToString(mapping.DeviceName) == aws.ToString(instance.RootDeviceName) {
			m.RootVolume = aws.ToString(mapping.Ebs.VolumeId)
		}
	}
	return m
}

// userData is what the instance finds in its metadata service.
func (f *Fleet) userData(ctx context.Context, id string) ([]byte, error) {
	out, err := f.client.DescribeInstanceAttribute(ctx, &ec2.DescribeInstanceAttributeInput{
		InstanceId: &id, Attribute: types.InstanceAttributeNameUserData,
	})
	if err != nil {
		return nil, fmt.Errorf("reading the user data of %s: %w", id, err)
	}
	if out.UserData == nil {
		return nil, nil
	}
	data, err := base64.StdEncoding.DecodeString(aws.ToString(out.UserData.Value))
	if err != nil {
		return nil, fmt.Errorf("decoding the user data of %s: %w", id, err)
	}
	return data, nil
}

// size gives what an instance type has, and the size of a root volume.
func (f *Fleet) size(ctx context.Context, m Machine) (Size, error) {
	size, err := f.typeSize(ctx, m.Type)
	if err != nil || m.RootVolume == "" {
		return size, err
	}
	volumes, err := f.client.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{m.RootVolume}})
	if err != nil {
		return size, fmt.Errorf("describing the root volume of %s: %w", m.ID, err)
	}
	for _, volume := range volumes.Volumes {
		size.DiskBytes = int64(aws.ToInt32(volume.Size)) << 30
	}
	return size, nil
}

func (f *Fleet) typeSize(ctx context.Context, name string) (Size, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if size, ok := f.sizes[name]; ok {
		return size, nil
	}
	out, err := f.client.DescribeInstanceTypes(ctx, &ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{types.InstanceType(name)}})
	if err != nil {
		return Size{}, fmt.Errorf("describing instance type %s: %w", name, err)
	}
	if len(out.InstanceTypes) != 1 {
		return Size{}, fmt.Errorf("describing instance type %s: no such type", name)
	}
	size := Size{}
	if info := out.InstanceTypes[0]; info.VCpuInfo != nil && info.MemoryInfo != nil {
		size.CPUs = aws.ToInt32(info.VCpuInfo.DefaultVCpus)
		size.MemoryBytes = aws.ToInt64(info.MemoryInfo.SizeInMiB) << 20
	}
	f.sizes[name] = size
	return size, nil
}
