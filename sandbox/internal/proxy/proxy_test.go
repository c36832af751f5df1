package proxy

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

type table map[string]struct {
	port int
	err  error
}

func (t table) Resolve(_ context.Context, host string) (string, int, error) {
	entry, ok := t[host]
	if !ok {
		return "", 0, ErrUnknownHost
	}
	return "dev.example.net", entry.port, entry.err
}

// echo answers each connection with a line of its own and what it is sent.
func echo(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.WriteString(conn, "hello\n")
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

func connect(t *testing.T, proxy *httptest.Server, target string) (*http.Response, net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", proxy.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, "CONNECT "+target+" HTTP/1.1\r\nHost: "+target+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, &http.Request{Method: http.MethodConnect})
	if err != nil {
		t.Fatal(err)
	}
	return response, conn, reader
}

func TestProxy(t *testing.T) {
	open := echo(t)
	closed := func() int {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		return listener.Addr().(*net.TCPAddr).Port
	}()
	const balancer = "api-dev-1.elb.eu-central-1.amazonaws.com"
	resolver := table{
		balancer:                  {port: open},
		"api.dev.example.net":     {port: open},
		"api.stopped.example.net": {},
		"api.crashed.example.net": {port: closed},
		"api.unknown.example.net": {err: errors.New("AWS doesn't answer")},
	}
	server := httptest.NewServer(New(resolver, slog.New(slog.DiscardHandler)))
	defer server.Close()
	local := (&url.URL{Host: net.JoinHostPort("127.0.0.1", itoa(open))}).Host
	tests := []struct {
		target string
		status int
		reason string
	}{
		{balancer + ":443", http.StatusOK, ""},
		{"api.dev.example.net:443", http.StatusOK, ""},
		{local, http.StatusOK, ""},
		{"api.dev.example.net:8443", http.StatusForbidden, "port 443 alone"},
		{"api.stopped.example.net:443", http.StatusServiceUnavailable, "the control plane of dev.example.net isn't running"},
		{"api.crashed.example.net:443", http.StatusBadGateway, "nothing answers"},
		{"api.unknown.example.net:443", http.StatusBadGateway, "AWS doesn't answer"},
		{"example.com:443", http.StatusForbidden, "isn't part of the sandbox"},
		{"10.0.0.1:443", http.StatusForbidden, "isn't part of the sandbox"},
	}
	for _, test := range tests {
		t.Run(test.target, func(t *testing.T) {
			response, conn, reader := connect(t, server, test.target)
			if response.StatusCode != test.status {
				t.Fatalf("status %s, want %d", response.Status, test.status)
			}
			if test.status != http.StatusOK {
				// Of an answer to CONNECT, ReadResponse takes the body for the
				// tunnel's.
				body := make([]byte, response.ContentLength)
				if _, err := io.ReadFull(reader, body); err != nil || !strings.Contains(string(body), test.reason) {
					t.Errorf("body %q, %v; want %q", body, err, test.reason)
				}
				return
			}
			if _, err := io.WriteString(conn, "ping\n"); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"hello\n", "ping\n"} {
				if got, err := reader.ReadString('\n'); err != nil || got != want {
					t.Errorf("read %q, %v; want %q", got, err, want)
				}
			}
		})
	}
	response, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %s", response.Status)
	}
}

func itoa(n int) string { return (&net.TCPAddr{Port: n}).String()[1:] }
