package apiserver

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// Binary is the control plane's program, from the repository's root.
const Binary = ".sandbox/bin/controlplane-1.36.1"

// startTimeout is generous: the machine may be compiling at the same time.
const startTimeout = 2 * time.Minute

// token opens everything on the test's own server.
const token = "tests-only"

// Server is a running API server.
type Server struct {
	// Config connects as an administrator.
	Config *rest.Config
	// Kubeconfig is the path of a file that says the same.
	Kubeconfig string

	dir       string
	binary    string
	processes []*process
}

// Start starts etcd and an API server and returns when it is ready.
func Start(ctx context.Context) (_ *Server, err error) {
	binary, err := findBinary()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "apiserver-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, binary: binary}
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	if err := s.writeSecrets(ports[0]); err != nil {
		return nil, err
	}
	etcd := fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	if err := s.run("etcd", "--data-dir", s.path("etcd"), "--listen-client-url", etcd,
		"--listen-peer-url", fmt.Sprintf("http://127.0.0.1:%d", ports[2])); err != nil {
		return nil, err
	}
	err = s.run("kube-apiserver",
		"--etcd-servers", etcd,
		"--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--secure-port", strconv.Itoa(ports[0]),
		"--tls-cert-file", s.path("server.crt"), "--tls-private-key-file", s.path("server.key"),
		"--token-auth-file", s.path("tokens"), "--authorization-mode", "RBAC",
		"--service-account-issuer", "https://tests.invalid",
		"--service-account-key-file", s.path("accounts.key"), "--service-account-signing-key-file", s.path("accounts.key"),
		"--service-cluster-ip-range", "10.0.0.0/16",
		"--endpoint-reconciler-type", "none",
		"--profiling=false")
	if err != nil {
		return nil, err
	}
	return s, s.waitReady(ctx)
}

// StartControllers starts a controller manager next to the API server, once.
func (s *Server) StartControllers() error {
	for _, p := range s.processes {
		if p.name == "kube-controller-manager" {
			return nil
		}
	}
	return s.run("kube-controller-manager",
		"--kubeconfig", s.Kubeconfig,
		"--secure-port", "0", "--leader-elect=false",
		"--service-account-private-key-file", s.path("accounts.key"), "--root-ca-file", s.path("server.crt"),
		"--kube-api-qps", "500", "--kube-api-burst", "1000",
		"--controllers", "*,-node-ipam-controller,-node-lifecycle-controller,-service-lb-controller,-cloud-node-lifecycle-controller")
}

// Stop ends the processes, newest first, and deletes their data.
func (s *Server) Stop() {
	for i := len(s.processes) - 1; i >= 0; i-- {
		s.processes[i].stop()
	}
	os.RemoveAll(s.dir)
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

// writeSecrets makes the server's certificate, the key for service accounts,
// the administrator's token and a kubeconfig.
func (s *Server) writeSecrets(port int) error {
	certificate, key, err := cert.GenerateSelfSignedCertKey("127.0.0.1", []net.IP{net.IPv4(127, 0, 0, 1)}, []string{"localhost"})
	if err != nil {
		return err
	}
	accounts, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	accountsPEM, err := keyutil.MarshalPrivateKeyToPEM(accounts)
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		"server.crt":   certificate,
		"server.key":   key,
		"accounts.key": accountsPEM,
		"tokens":       []byte(token + ",admin,admin,system:masters\n"),
	} {
		if err := os.WriteFile(s.path(name), data, 0o600); err != nil {
			return err
		}
	}
	host := fmt.Sprintf("https://127.0.0.1:%d", port)
	s.Config = &rest.Config{
		Host: host, BearerToken: token,
		TLSClientConfig: rest.TLSClientConfig{CAData: certificate},
	}
	s.Kubeconfig = s.path("kubeconfig")
	return clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"test": {Server: host, CertificateAuthorityData: certificate}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"test": {Token: token}},
		Contexts:       map[string]*clientcmdapi.Context{"test": {Cluster: "test", AuthInfo: "test"}},
		CurrentContext: "test",
	}, s.Kubeconfig)
}

func (s *Server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	client, err := rest.HTTPClientFor(s.Config)
	if err != nil {
		return err
	}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Config.Host+"/readyz", nil)
		if err != nil {
			return err
		}
		if resp, err := client.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		for _, p := range s.processes {
			select {
			case <-p.ended:
				return fmt.Errorf("%s ended before the API server was ready:\n%s", p.name, p.tail())
			default:
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API server isn't ready: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// process is one component of the control plane.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
}

func (s *Server) run(name string, args ...string) error {
	log, err := os.Create(s.path(name + ".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	p := &process{name: name, log: log.Name(), ended: make(chan struct{})}
	p.cmd = exec.Command(s.binary, append([]string{name}, args...)...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	// Tests that are killed must not leave servers behind.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		p.cmd.Wait()
		close(p.ended)
	}()
	s.processes = append(s.processes, p)
	return nil
}

// stop kills: the data is thrown away, so that nothing is gained by waiting.
func (p *process) stop() {
	p.cmd.Process.Kill()
	<-p.ended
}

func (p *process) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	const enough = 4 << 10
	if len(text) > enough {
		text = text[len(text)-enough:]
	}
	return string(text)
}

func findBinary() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working directory, so the repository's root is unknown")
		}
		dir = parent
	}
	binary := filepath.Join(dir, Binary)
	if _, err := os.Stat(binary); err != nil {
		return "", fmt.Errorf("these tests need a real control plane and %s isn't there: build it with make sandbox (or leave them out with go test -short)", Binary)
	}
	return binary, nil
}

// freePorts asks the kernel for ports that nobody listens on.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		// All stay open until the last is known, so that they differ.
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}
