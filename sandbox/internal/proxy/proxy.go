// Package proxy is the sandbox's bastion: an HTTP proxy through which the
// clusters' APIs are reached under the names that they have in AWS. It opens
// tunnels (CONNECT) and passes their bytes; TLS ends at the API server.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// ErrUnknownHost means that a name isn't a cluster's API.
var ErrUnknownHost = errors.New("no cluster's API has that name")

// Resolver finds the cluster whose API has a name, and the port on loopback
// that its API server listens on, or 0 while none is running. A name that is no
// cluster's is ErrUnknownHost.
type Resolver interface {
	Resolve(ctx context.Context, host string) (cluster string, port int, err error)
}

const (
	dialTimeout    = 2 * time.Second
	resolveTimeout = 5 * time.Second
)

// Proxy serves CONNECT requests.
type Proxy struct {
	resolver Resolver
	log      *slog.Logger
}

// New gives a proxy that finds its way by a resolver.
func New(resolver Resolver, log *slog.Logger) *Proxy {
	return &Proxy{resolver: resolver, log: log}
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		refuse(w, http.StatusMethodNotAllowed, "this is a proxy for tunnels (CONNECT) to the Kubernetes APIs of the sandbox's clusters")
		return
	}
	address, status, err := p.route(r.Context(), r.Host)
	if err != nil {
		p.log.Debug("proxy refused", "host", r.Host, "error", err)
		refuse(w, status, err.Error())
		return
	}
	server, err := net.DialTimeout("tcp", address, dialTimeout)
	if err != nil {
		refuse(w, http.StatusBadGateway, fmt.Sprintf("%s: nothing answers at %s: %v", r.Host, address, err))
		return
	}
	defer server.Close()
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		refuse(w, http.StatusInternalServerError, "the connection can't be taken over")
		return
	}
	client, buffered, err := hijacker.Hijack()
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	defer client.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	tunnel(client, buffered, server)
}

// route finds the address on loopback that a host name and port lead to.
func (p *Proxy) route(ctx context.Context, hostPort string) (address string, status int, err error) {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return "", http.StatusBadRequest, fmt.Errorf("want HOST:PORT, got %q", hostPort)
	}
	if ip := net.ParseIP(host); host == "localhost" || (ip != nil && ip.IsLoopback()) {
		return hostPort, 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	cluster, apiPort, err := p.resolver.Resolve(ctx, host)
	switch {
	case errors.Is(err, ErrUnknownHost):
		return "", http.StatusForbidden, fmt.Errorf("%s isn't part of the sandbox: %w; nothing outside is reached through it", host, err)
	case err != nil:
		return "", http.StatusBadGateway, fmt.Errorf("looking up %s: %w", host, err)
	case port != "443":
		return "", http.StatusForbidden, fmt.Errorf("%s is the API of %s, which listens on port 443 alone, not on %s", host, cluster, port)
	case apiPort == 0:
		return "", http.StatusServiceUnavailable, fmt.Errorf("the control plane of %s isn't running", cluster)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(apiPort)), 0, nil
}

func refuse(w http.ResponseWriter, status int, reason string) {
	// The status line is what clients show of a refused CONNECT; the body is
	// for people.
	http.Error(w, "sandbox: "+reason, status)
}

// tunnel copies both ways until both sides are done.
func tunnel(client net.Conn, buffered io.Reader, server net.Conn) {
	var both sync.WaitGroup
	copyHalf := func(to net.Conn, from io.Reader) {
		_, _ = io.Copy(to, from)
		if half, ok := to.(*net.TCPConn); ok {
			_ = half.CloseWrite()
		} else {
			to.Close()
		}
	}
	both.Go(func() { copyHalf(server, buffered) })
	both.Go(func() { copyHalf(client, server) })
	both.Wait()
}
