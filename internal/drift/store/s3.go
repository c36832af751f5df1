package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// S3 keeps a repository's reports below a state store, such as
// s3://example-net-kops-state, in the folder platform/drift/<repository>. Who
// keeps reports needs s3:ListBucket, s3:GetObject and s3:PutObject there, who
// prunes s3:DeleteObject.
func S3(config aws.Config, stateStore, repository string) (*Store, error) {
	where, err := url.Parse(stateStore)
	if err != nil || where.Scheme != "s3" || where.Host == "" {
		return nil, fmt.Errorf("state store %q: want an S3 URL such as s3://example-net-kops-state", stateStore)
	}
	client := s3.NewFromConfig(config, endpoint)
	prefix := strings.TrimPrefix(where.Path+"/platform/drift/"+repository+"/", "/")
	return &Store{files: &bucket{client, where.Host, strings.ReplaceAll(prefix, "//", "/")}, now: time.Now}, nil
}

// endpoint is for S3 that isn't AWS's, which the SDK knows by the environment
// (AWS_ENDPOINT_URL_S3 and the like) and kops by S3_ENDPOINT: buckets have no
// host names of their own there.
func endpoint(o *s3.Options) {
	if own := os.Getenv("S3_ENDPOINT"); o.BaseEndpoint == nil && own != "" {
		o.BaseEndpoint = &own
	}
	if o.BaseEndpoint != nil {
		o.UsePathStyle = true
	}
}

type bucket struct {
	client *s3.Client
	name   string
	prefix string
}

func (b *bucket) String() string { return "s3://" + b.name + "/" + strings.TrimSuffix(b.prefix, "/") }

func (b *bucket) list(ctx context.Context, folder string) ([]string, error) {
	prefix := b.prefix + folder + "/"
	pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: &prefix})
	var names []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, object := range page.Contents {
			names = append(names, strings.TrimPrefix(aws.ToString(object.Key), prefix))
		}
	}
	return names, nil
}

func (b *bucket) read(ctx context.Context, name string) ([]byte, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: aws.String(b.prefix + name)})
	var missing *types.NoSuchKey
	if errors.As(err, &missing) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(io.LimitReader(out.Body, mostBytes+1))
}

func (b *bucket) write(ctx context.Context, name string, data []byte) error {
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &b.name, Key: aws.String(b.prefix + name), Body: bytes.NewReader(data),
		ContentType: aws.String("application/gzip"),
	})
	return err
}

// remove asks for a thousand at a time, which is the most that S3 takes.
func (b *bucket) remove(ctx context.Context, names []string) error {
	const most = 1000
	for len(names) > 0 {
		n := min(most, len(names))
		objects := make([]types.ObjectIdentifier, n)
		for i, name := range names[:n] {
			objects[i].Key = aws.String(b.prefix + name)
		}
		out, err := b.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &b.name, Delete: &types.Delete{Objects: objects, Quiet: aws.Bool(true)}})
		if err != nil {
			return err
		}
		if len(out.Errors) > 0 {
			first := out.Errors[0]
			return fmt.Errorf("%s: %s: %s (%d refused)", aws.ToString(first.Key), aws.ToString(first.Code), aws.ToString(first.Message), len(out.Errors))
		}
		names = names[n:]
	}
	return nil
}
