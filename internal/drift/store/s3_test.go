package store

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// The sandbox's AWS, which serves S3; one server for all tests.
var server struct {
	once sync.Once
	url  string
	err  error
	stop func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if server.stop != nil {
		server.stop()
	}
	os.Exit(code)
}

var serving = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

func startServer() error {
	root, err := filepath.Abs("../../..")
	if err != nil {
		return err
	}
	python := filepath.Join(root, ".sandbox/venv/bin/python")
	if _, err := os.Stat(python); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s isn't there: run make sandbox", python)
	}
	cmd := exec.Command(python, filepath.Join(root, "sandbox/aws/server.py"), "--port", "0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the sandbox's AWS: %w", err)
	}
	server.stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if server.url = serving.FindString(line); server.url == "" {
		return fmt.Errorf("the sandbox's AWS didn't start: %q, %v: run make sandbox", line, err)
	}
	return nil
}

// sdkConfig is what the SDK makes of an environment that names the endpoint by
// one of its variables.
func sdkConfig(t *testing.T, variable string) aws.Config {
	t.Helper()
	if testing.Short() {
		t.Skip("talks to the sandbox's AWS")
	}
	server.once.Do(func() { server.err = startServer() })
	if server.err != nil {
		t.Fatal(server.err)
	}
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "S3_ENDPOINT", "AWS_PROFILE"} {
		t.Setenv(name, "")
		must(t, os.Unsetenv(name))
	}
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_ACCESS_KEY_ID", "sandbox")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
	t.Setenv(variable, server.url)
	c, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("eu-central-1"))
	must(t, err)
	return c
}

var buckets atomic.Int32

func newBucket(t *testing.T) *Store {
	t.Helper()
	return bucketBy(t, "AWS_ENDPOINT_URL_S3")
}

func bucketBy(t *testing.T, variable string) *Store {
	t.Helper()
	c := sdkConfig(t, variable)
	name := fmt.Sprintf("state-%d", buckets.Add(1))
	client := s3.NewFromConfig(c, endpoint)
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name, CreateBucketConfiguration: &types.CreateBucketConfiguration{
		LocationConstraint: types.BucketLocationConstraint(c.Region),
	}})
	must(t, err)
	s, err := S3(c, "s3://"+name+"/kops/", "example")
	must(t, err)
	return s
}

// TestS3Endpoints: however the endpoint is named, reports go there, and where
// they are expected.
func TestS3Endpoints(t *testing.T) {
	for _, variable := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "S3_ENDPOINT"} {
		t.Run(variable, func(t *testing.T) {
			s := bucketBy(t, variable)
			must(t, s.Put(t.Context(), report(night(1), nil, "dev")))
			b := s.files.(*bucket)
			out, err := b.client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &b.name})
			must(t, err)
			var keys []string
			for _, object := range out.Contents {
				keys = append(keys, regexp.MustCompile(`-[0-9a-f]{8}\.`).ReplaceAllString(*object.Key, "-X."))
			}
			if want := []string{"kops/platform/drift/example/index/20261101T020000.000Z-X.json.gz", "kops/platform/drift/example/reports/20261101T020000.000Z-X.json.gz"}; !slices.Equal(keys, want) {
				t.Errorf("got %v, want %v", keys, want)
			}
		})
	}
	// Without any, it is AWS's own and buckets have host names.
	t.Setenv("S3_ENDPOINT", "")
	o := s3.Options{}
	if endpoint(&o); o.BaseEndpoint != nil || o.UsePathStyle {
		t.Errorf("AWS itself: %+v", o)
	}
}

func TestS3Pages(t *testing.T) {
	s := newBucket(t)
	ctx := t.Context()
	b := s.files.(*bucket)
	// More than a page of a list, and more than S3 removes at a time.
	const many = 1100
	var all sync.WaitGroup
	free := make(chan struct{}, 16)
	failures := make([]error, many)
	for i := range many {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			failures[i] = b.write(ctx, fmt.Sprintf("%s/20251101T%02d%02d%02d.000Z-aa.json.gz", index, i/3600, i/60%60, i%60), []byte("x"))
		})
	}
	all.Wait()
	must(t, cmp.Or(failures...))
	must(t, s.Put(ctx, report(night(1), nil, "dev")))
	if names, err := b.list(ctx, index); err != nil || len(names) != many+1 {
		t.Fatalf("%d names, %v", len(names), err)
	}
	s.now = func() time.Time { return night(2) }
	must(t, s.Prune(ctx, 30*24*time.Hour))
	if names, err := b.list(ctx, index); err != nil || len(names) != 1 {
		t.Errorf("%d are left, %v", len(names), err)
	}
}

func TestS3Errors(t *testing.T) {
	for _, store := range []string{"", "example", "gs://example", "s3://", "s3:///x", "%"} {
		if _, err := S3(aws.Config{}, store, "example"); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("state store %q: want an S3 URL", store)) {
			t.Errorf("%q: %v", store, err)
		}
	}
	c := sdkConfig(t, "AWS_ENDPOINT_URL_S3")
	s, err := S3(c, "s3://no-such-bucket", "example")
	must(t, err)
	// That there is no bucket isn't that there is no report.
	if _, err := s.Latest(context.Background(), []string{"dev"}); err == nil || !strings.Contains(err.Error(), "s3://no-such-bucket/platform/drift/example: ") || !strings.Contains(err.Error(), "NoSuchBucket") {
		t.Errorf("got %v", err)
	}
	if _, err := s.files.read(context.Background(), "x"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing bucket is a missing file: %v", err)
	}
}
