package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"platform/sandbox/internal/build"
	"platform/sandbox/internal/mirror"
	"platform/sandbox/internal/ports"
	"platform/sandbox/internal/proxy"
	"platform/sandbox/internal/simulator"
	"platform/sandbox/internal/supervise"
)

// Names of processes and ports.
const (
	awsProcess  = "aws"
	etcdProcess = "etcd"
	etcdPeer    = "etcd-peer"
	mirrorPort  = "mirror"
	proxyPort   = "proxy"
)

const (
	// The longest that the emulator's first start took on a slow machine, times
	// three.
	startTimeout   = 2 * time.Minute
	contentTimeout = time.Minute
	portPatience   = 15 * time.Second
)

// Daemon is the running sandbox.
type Daemon struct {
	o          Options
	log        *slog.Logger
	ports      *ports.Book
	supervisor *supervise.Supervisor
	builder    *build.Builder
	simulator  *simulator.Simulator
	started    time.Time
	stop       context.CancelFunc
	work       sync.WaitGroup

	mu      sync.Mutex
	ready   bool
	message string
}

// Run is the sandbox from start to end: until ctx is done or somebody asks it to
// stop.
func Run(ctx context.Context, o Options, log *slog.Logger) error {
	if err := o.validate(); err != nil {
		return err
	}
	for _, dir := range []string{o.logDir(), o.stateDir()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	lock, err := takeLock(o.lockFile())
	if err != nil {
		return err
	}
	defer lock.Close()
	book, err := ports.Open(filepath.Join(o.stateDir(), "ports.json"))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	d := &Daemon{
		o: o, log: log, ports: book, started: time.Now(), stop: stop, message: "starting",
		supervisor: supervise.New(o.logDir(), log), builder: build.New(o.Root, o.logDir(), log),
	}
	defer d.builder.Stop()
	if err := d.waitForPorts(ctx); err != nil {
		return err
	}
	closeStatus, err := d.serveStatus()
	if err != nil {
		return err
	}
	defer closeStatus()
	defer d.supervisor.StopAll()
	// First the simulator, which starts processes.
	defer d.work.Wait()
	if err := d.start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		d.say("failed: " + err.Error())
		return err
	}
	<-ctx.Done()
	d.say("stopping")
	log.Info("stopping")
	return nil
}

// start starts everything and returns when it works; what it started ends with
// ctx.
func (d *Daemon) start(ctx context.Context) error {
	moto, err := d.startAWS(ctx)
	if err != nil {
		return err
	}
	config, err := awsConfig(ctx, d.o.Content.Region, moto)
	if err != nil {
		return err
	}
	d.say("filling the AWS account")
	filling, cancel := context.WithTimeout(ctx, contentTimeout)
	defer cancel()
	if err := d.o.Content.Ensure(filling, config); err != nil {
		return fmt.Errorf("filling the AWS account: %w", err)
	}
	if err := d.startEtcd(ctx); err != nil {
		return err
	}
	if d.simulator, err = d.newSimulator(config); err != nil {
		return err
	}
	if err := d.serve(ctx, mirrorPort, mirror.Handler("/kops/"+d.o.KopsVersion)); err != nil {
		return err
	}
	if err := d.serve(ctx, proxyPort, proxy.New(d.simulator, d.log)); err != nil {
		return err
	}
	d.work.Go(func() { d.simulator.Run(ctx) })
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ready, d.message = true, "running"
	return nil
}

func (d *Daemon) startAWS(ctx context.Context) (url string, err error) {
	d.say("starting AWS")
	python := d.o.dir("venv", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		return "", fmt.Errorf("%s is missing: run make sandbox", python)
	}
	port, err := d.ports.Port(awsProcess)
	if err != nil {
		return "", err
	}
	url = "http://127.0.0.1:" + strconv.Itoa(port)
	d.supervisor.Start(supervise.Process{
		Name: awsProcess,
		Command: []string{
			python, filepath.Join(d.o.Root, "sandbox", "aws", "server.py"),
			"--port", strconv.Itoa(port), "--state", filepath.Join(d.o.stateDir(), "aws.snapshot"),
		},
		Env:   []string{"PATH=/usr/bin:/bin", "HOME=" + d.o.stateDir(), "PYTHONUNBUFFERED=1", "LANG=C.UTF-8"},
		Dir:   d.o.Root,
		Ready: answers(url + "/sandbox/health"),
		Grace: 30 * time.Second, Keeps: true,
	})
	return url, d.waitFor(ctx, awsProcess)
}

func (d *Daemon) startEtcd(ctx context.Context) error {
	d.say("starting etcd")
	binary, err := d.builder.Newest()
	if err != nil {
		return err
	}
	peer, err := d.ports.Port(etcdPeer)
	if err != nil {
		return err
	}
	url, err := d.etcdURL()
	if err != nil {
		return err
	}
	d.supervisor.Start(supervise.Process{
		Name: etcdProcess,
		Command: []string{
			binary, "etcd", "--data-dir", filepath.Join(d.o.stateDir(), "etcd"),
			"--listen-client-url", url, "--listen-peer-url", "http://127.0.0.1:" + strconv.Itoa(peer),
		},
		Env:   []string{"PATH=/usr/bin:/bin", "HOME=" + d.o.stateDir()},
		Dir:   d.o.stateDir(),
		Ready: answers(url + "/health"),
		Grace: 10 * time.Second, Keeps: true,
	})
	return d.waitFor(ctx, etcdProcess)
}

func (d *Daemon) etcdURL() (string, error) {
	port, err := d.ports.Port(etcdProcess)
	return "http://127.0.0.1:" + strconv.Itoa(port), err
}

func (d *Daemon) newSimulator(config aws.Config) (*simulator.Simulator, error) {
	etcd, err := d.etcdURL()
	if err != nil {
		return nil, err
	}
	kwok := d.o.dir("bin", "kwok")
	if _, err := os.Stat(kwok); err != nil {
		return nil, fmt.Errorf("%s is missing: run make sandbox", kwok)
	}
	return simulator.New(simulator.Options{
		AWS: config, Supervisor: d.supervisor, Builder: d.builder, Ports: d.ports, Log: d.log,
		StateDir: d.o.stateDir(), LogDir: d.o.logDir(), KWOK: kwok,
		Stages: []string{d.o.dir("kwok"), filepath.Join(d.o.Root, "sandbox", "kwok", "stages")},
		Etcd:   etcd, EtcdProcess: etcdProcess, StateStore: "s3://" + d.o.Content.StateBucket,
	})
}

// serve serves HTTP on a remembered port until ctx is done.
func (d *Daemon) serve(ctx context.Context, name string, handler http.Handler) error {
	port, err := d.ports.Port(name)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			d.log.Error("serving", "name", name, "error", err)
		}
	}()
	context.AfterFunc(ctx, func() { server.Close() })
	return nil
}

func (d *Daemon) waitFor(ctx context.Context, name string) error {
	waiting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := d.supervisor.Wait(waiting, name); err != nil {
		return fmt.Errorf("%s didn't start, see %s: %w", name, d.supervisor.LogFile(name), err)
	}
	return nil
}

// waitForPorts sees to it that the remembered ports are still free. Those of a
// daemon that was killed take a moment to become so.
func (d *Daemon) waitForPorts(ctx context.Context) error {
	deadline := time.Now().Add(portPatience)
	for name, port := range d.ports.All() {
		for !ports.Free(port) {
			if time.Now().After(deadline) {
				return fmt.Errorf("port %d, which is remembered for %s, is taken by another program: stop that program, or run `platform sandbox down --purge` to begin with new ports", port, name)
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
	return nil
}

func (d *Daemon) say(message string) {
	d.log.Info(message)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ready, d.message = false, message
}

// awsConfig points this process at the emulated AWS. kops' packages, which read
// the state store here as well, know the environment alone.
func awsConfig(ctx context.Context, region, url string) (aws.Config, error) {
	for key, value := range map[string]string{
		"AWS_ENDPOINT_URL": url, "AWS_REGION": region, "AWS_DEFAULT_REGION": region,
		"AWS_ACCESS_KEY_ID": "sandbox", "AWS_SECRET_ACCESS_KEY": "sandbox", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"S3_ENDPOINT": url, "S3_REGION": region, "S3_ACCESS_KEY_ID": "sandbox", "S3_SECRET_ACCESS_KEY": "sandbox",
	} {
		if err := os.Setenv(key, value); err != nil {
			return aws.Config{}, err
		}
	}
	return awsconfig.LoadDefaultConfig(ctx)
}

// answers probes a URL for any answer of success.
func answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", url, response.Status)
		}
		return nil
	}
}
