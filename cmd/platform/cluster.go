package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"platform/internal/addons"
	"platform/internal/aws"
	"platform/internal/config"
	"platform/internal/declaration"
	"platform/internal/kops"
	"platform/internal/plan"
	"platform/internal/reconcile"
	"platform/internal/render"
)

// target is one cluster with its layers, ready to be reconciled.
type target struct {
	reconcile.Cluster
	declaration declaration.Declaration
	rendered    *render.Cluster
	account     aws.Identity

	kops   *kops.Layer
	aws    *aws.Layer
	addons *addons.Layer
}

type targetOptions struct {
	pruneData      bool
	forceConflicts bool
	// assumeNew plans the addons without the API where that isn't serving
	// yet, as on the way up.
	assumeNew bool
	report    plan.Report
}

// Target renders a cluster and wires up its layers.
func (f *factory) Target(ctx context.Context, name string, o targetOptions) (*target, error) {
	f.subject = name
	c, err := f.Config()
	if err != nil {
		return nil, err
	}
	if _, err := c.Cluster(name); err != nil {
		return nil, err
	}
	rendered, err := render.Render(ctx, newRenderOptions(c), name)
	if err != nil {
		return nil, err
	}
	return f.target(ctx, c, rendered, o)
}

// target wires up the layers of a cluster that has been rendered. Several may be
// at it at once.
func (f *factory) target(ctx context.Context, c *config.Config, rendered *render.Cluster, o targetOptions) (*target, error) {
	t := &target{rendered: rendered}
	var err error
	if t.declaration, err = declaration.Parse(rendered); err != nil {
		return nil, fmt.Errorf("%s: %w", rendered.Source(), err)
	}
	awsCfg, account, err := logIn(ctx, t.declaration)
	if err != nil {
		return nil, err
	}
	t.account = account
	if err := t.wire(c, awsCfg, rendered, o); err != nil {
		return nil, err
	}
	return t, nil
}

// logIn finds the credentials and makes sure that they are of the account that
// the cluster belongs in.
func logIn(ctx context.Context, d declaration.Declaration) (awssdk.Config, aws.Identity, error) {
	cfg, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(d.AWS.Region), awsconfig.WithLogger(logging.Nop{}))
	if err != nil {
		return cfg, aws.Identity{}, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	account, err := aws.WhoAmI(ctx, cfg)
	if err != nil {
		return cfg, account, err
	}
	if want := d.Account; want != "" && want != account.Account {
		return cfg, account, fmt.Errorf("the credentials are of account %s (%s), but git declares the cluster in account %s (clusters/org.libsonnet); use credentials of that account", account.Account, account.ARN, want)
	}
	return cfg, account, nil
}

func (t *target) wire(c *config.Config, awsCfg awssdk.Config, rendered *render.Cluster, o targetOptions) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the tool's own program: %w", err)
	}
	settings := kops.DefaultSettings()
	settings.Interval = c.Rolling.Interval
	settings.DrainDelay = c.Rolling.DrainDelay
	settings.ValidateTick = c.Rolling.ValidateTick
	settings.ValidateSuccess = c.Rolling.ValidateSuccess
	t.aws = aws.New(awsCfg, t.declaration.AWS, o.report)
	t.kops = kops.New(kops.Options{
		Spec:   t.declaration.Kops,
		Worker: []string{self, kopsWorkerCommand},
		TargetGroups: func(ctx context.Context) ([]string, error) {
			groups, err := t.aws.TargetGroups(ctx)
			return sortedValues(groups), err
		},
		EnsureTargetGroups: func(ctx context.Context) ([]string, []plan.Change, error) {
			groups, changes, err := t.aws.EnsureTargetGroups(ctx)
			return sortedValues(groups), changes, err
		},
		Proxy:    c.APIProxy,
		Settings: settings,
		Report:   o.report,
	})
	t.addons = addons.New(addons.Options{
		Cluster:    t.declaration.Name,
		Repository: c.Repository,
		Files:      addonFiles(rendered),
		Connect:    func(ctx context.Context) (*rest.Config, error) { return t.connect(ctx, o.assumeNew) },
		PruneData:  o.pruneData,
		Force:      o.forceConflicts,
		Timeout:    c.Timeout,
		Report:     o.report,
	})
	t.Cluster = reconcile.Cluster{Name: t.declaration.Name, Layers: []reconcile.Layer{t.kops, t.aws, t.addons}}
	return nil
}

// sortedValues orders ARNs by the names of their listeners, so that the spec
// that they go into is always the same.
func sortedValues(m map[string]string) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[key])
	}
	return out
}

func addonFiles(rendered *render.Cluster) []addons.File {
	files := make([]addons.File, len(rendered.Files))
	for i, file := range rendered.Files {
		files[i] = addons.File{Name: file.Name, Source: file.Source}
		for _, o := range file.Objects {
			files[i].Objects = append(files[i].Objects, o.Unstructured.DeepCopy())
		}
	}
	return files
}

// apiTimeout bounds the question whether an API serves.
const apiTimeout = 10 * time.Second

// connect gives the way to the cluster's API. Where there is no cluster yet,
// or none that serves and assumeNew allows it, it is addons.ErrNoCluster.
func (t *target) connect(ctx context.Context, assumeNew bool) (*rest.Config, error) {
	connection, err := t.kops.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if connection == nil {
		return nil, addons.ErrNoCluster
	}
	config, err := connection.RESTConfig()
	if err != nil {
		return nil, err
	}
	if assumeNew && !serves(ctx, config) {
		return nil, addons.ErrNoCluster
	}
	return config, nil
}

// serves asks the API for its version, once.
func serves(ctx context.Context, config *rest.Config) bool {
	short := rest.CopyConfig(config)
	short.Timeout = apiTimeout
	client, err := discovery.NewDiscoveryClientForConfig(short)
	if err != nil {
		return false
	}
	_, err = client.RESTClient().Get().AbsPath("/version").DoRaw(ctx)
	return err == nil
}
