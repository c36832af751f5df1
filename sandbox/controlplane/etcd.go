package main

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"go.etcd.io/etcd/server/v3/embed"
)

// runEtcd runs a single-member etcd until it is interrupted. Durability is
// traded for speed (no fsync): a sandbox can lose its last writes when the
// machine itself goes down, never when a process does.
func runEtcd(args []string) int {
	flags := flag.NewFlagSet("etcd", flag.ContinueOnError)
	dir := flags.String("data-dir", "", "where etcd keeps its data")
	client := flags.String("listen-client-url", "http://127.0.0.1:2379", "the URL that API servers connect to")
	peer := flags.String("listen-peer-url", "http://127.0.0.1:2380", "the URL that a cluster's other members would connect to")
	if err := flags.Parse(args); err != nil {
		return 1
	}
	cfg := embed.NewConfig()
	cfg.Name = "sandbox"
	cfg.Dir = *dir
	cfg.UnsafeNoFsync = true
	cfg.LogLevel = "warn"
	// Embedded, the default is not etcd's own but none: every request is slow.
	cfg.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration
	for _, u := range []struct {
		text string
		into []*[]url.URL
	}{
		{*client, []*[]url.URL{&cfg.ListenClientUrls, &cfg.AdvertiseClientUrls}},
		{*peer, []*[]url.URL{&cfg.ListenPeerUrls, &cfg.AdvertisePeerUrls}},
	} {
		parsed, err := url.Parse(u.text)
		if err != nil {
			fmt.Fprintf(os.Stderr, "etcd: %v\n", err)
			return 1
		}
		for _, field := range u.into {
			*field = []url.URL{*parsed}
		}
	}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	server, err := embed.StartEtcd(cfg)
	if err != nil {
		fmt.Fprintf(os.Stderr, "etcd: %v\n", err)
		return 1
	}
	defer server.Close()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	select {
	case <-stop:
		return 0
	case err := <-server.Err():
		fmt.Fprintf(os.Stderr, "etcd: %v\n", err)
		return 1
	}
}
