// Package account puts into the emulated AWS what a real account has before
// any cluster: a hosted zone that a person registered, and the buckets for kops'
// state and for the public documents by which AWS trusts the clusters' service
// accounts.
package account

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Content is what the account has.
type Content struct {
	Region string
	// HostedZone is the name of the public zone.
	HostedZone string
	// StateBucket is kops' state store.
	StateBucket string
	// DiscoveryBucket holds the clusters' OpenID Connect documents.
	DiscoveryBucket string
}

// Ensure makes what is missing.
func (c Content) Ensure(ctx context.Context, config aws.Config) error {
	if err := c.ensureZone(ctx, route53.NewFromConfig(config)); err != nil {
		return fmt.Errorf("hosted zone %s: %w", c.HostedZone, err)
	}
	client := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	if err := c.ensureStateBucket(ctx, client); err != nil {
		return fmt.Errorf("bucket %s: %w", c.StateBucket, err)
	}
	if err := c.ensureDiscoveryBucket(ctx, client); err != nil {
		return fmt.Errorf("bucket %s: %w", c.DiscoveryBucket, err)
	}
	return nil
}

func (c Content) ensureZone(ctx context.Context, client *route53.Client) error {
	name := strings.TrimSuffix(c.HostedZone, ".") + "."
	zones, err := client.ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{DNSName: &name})
	if err != nil {
		return err
	}
	for _, zone := range zones.HostedZones {
		if aws.ToString(zone.Name) == name && (zone.Config == nil || !zone.Config.PrivateZone) {
			return nil
		}
	}
	_, err = client.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: &name, CallerReference: aws.String("sandbox-" + name)})
	return err
}

// ensureStateBucket makes the state store as kops' documentation asks for it:
// versioned and encrypted.
func (c Content) ensureStateBucket(ctx context.Context, client *s3.Client) error {
	created, err := c.ensureBucket(ctx, client, c.StateBucket)
	if err != nil || !created {
		return err
	}
	if _, err := client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket:                  &c.StateBucket,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	}); err != nil {
		return err
	}
	_, err = client.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{
		Bucket: &c.StateBucket,
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{
			ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256},
		}}},
	})
	return err
}

// ensureDiscoveryBucket makes a bucket whose objects may be made public one by
// one, which new buckets forbid: kops publishes the documents with a public-read
// ACL.
func (c Content) ensureDiscoveryBucket(ctx context.Context, client *s3.Client) error {
	created, err := c.ensureBucket(ctx, client, c.DiscoveryBucket)
	if err != nil || !created {
		return err
	}
	if _, err := client.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{
		Bucket: &c.DiscoveryBucket,
		OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{
			ObjectOwnership: types.ObjectOwnershipBucketOwnerPreferred,
		}}},
	}); err != nil {
		return err
	}
	_, err = client.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{
		Bucket: &c.DiscoveryBucket,
		PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: aws.Bool(false), IgnorePublicAcls: aws.Bool(false),
			BlockPublicPolicy: aws.Bool(false), RestrictPublicBuckets: aws.Bool(false),
		},
	})
	return err
}

// ensureBucket tells whether it had to make the bucket. What a person changed
// about one that exists is left alone.
func (c Content) ensureBucket(ctx context.Context, client *s3.Client, name string) (created bool, err error) {
	_, err = client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name})
	var missing *types.NotFound
	if !errors.As(err, &missing) {
		return false, err
	}
	in := &s3.CreateBucketInput{Bucket: &name}
	// us-east-1 is S3's default and no valid constraint.
	if c.Region != "us-east-1" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(c.Region)}
	}
	_, err = client.CreateBucket(ctx, in)
	return err == nil, err
}
