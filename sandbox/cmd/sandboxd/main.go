// Command sandboxd is the sandbox's daemon: AWS and Kubernetes on this machine,
// all on 127.0.0.1. `platform sandbox up` starts it; see sandbox/README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/klog/v2"

	"platform/sandbox/internal/daemon"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "sandboxd:", err)
		os.Exit(1)
	}
}

func run() error {
	o := daemon.Options{}
	flag.StringVar(&o.Root, "root", "", "the repository's folder")
	flag.StringVar(&o.Content.Region, "region", "", "the AWS region")
	flag.StringVar(&o.Content.HostedZone, "zone", "", "the public hosted zone that exists from the start")
	flag.StringVar(&o.Content.StateBucket, "state-bucket", "", "the bucket for kops' state store")
	flag.StringVar(&o.Content.DiscoveryBucket, "discovery-bucket", "", "the bucket for the service-account issuers' documents")
	flag.StringVar(&o.KopsVersion, "kops-version", "", "the kops release that the mirror stands in for")
	verbose := flag.Bool("v", false, "log more")
	flag.Parse()

	level := slog.LevelInfo
	if *verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	// kops' packages log by klog: their warnings are enough.
	klog.SetSlogLogger(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return daemon.Run(ctx, o, log)
}
