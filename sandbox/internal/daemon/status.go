package daemon

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"platform/sandbox/internal/build"
	"platform/sandbox/internal/simulator"
	"platform/sandbox/internal/supervise"
)

// Status is what GET /status answers. internal/sandbox reads it.
type Status struct {
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	// Program and Arguments tell whether this is the daemon that is wanted.
	Program   string   `json:"program"`
	Arguments []string `json:"arguments"`
	// Ready means that AWS, the mirror and the proxy serve.
	Ready bool `json:"ready"`
	// Settled means that the clusters do, too, as far as they can.
	Settled  bool                      `json:"settled"`
	Message  string                    `json:"message"`
	AWS      string                    `json:"aws"`
	Mirror   string                    `json:"mirror"`
	Proxy    string                    `json:"proxy"`
	Clusters []simulator.ClusterStatus `json:"clusters"`
	// Builds are those under way and those that failed.
	Builds    []build.Status     `json:"builds"`
	Processes []supervise.Status `json:"processes"`
	Ports     map[string]int     `json:"ports"`
}

// serveStatus serves the status on a socket that only its owner can use.
func (d *Daemon) serveStatus() (stop func(), err error) {
	// Whoever holds the lock is alone: a socket that is there is a dead one.
	if err := os.Remove(d.o.socket()); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	listener, err := net.Listen("unix", d.o.socket())
	if err != nil {
		return nil, fmt.Errorf("status socket: %w", err)
	}
	if err := os.Chmod(d.o.socket(), 0o600); err != nil {
		listener.Close()
		return nil, err
	}
	program := programID()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(d.status(program))
	})
	mux.HandleFunc("POST /stop", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		d.stop()
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return func() { server.Close() }, nil
}

func (d *Daemon) status(program string) Status {
	d.mu.Lock()
	s := Status{
		PID: os.Getpid(), Started: d.started, Program: program, Arguments: os.Args[1:], Ready: d.ready, Message: d.message,
	}
	d.mu.Unlock()
	s.Ports = d.ports.All()
	s.AWS, s.Mirror, s.Proxy = url(s.Ports[awsProcess]), url(s.Ports[mirrorPort]), url(s.Ports[proxyPort])
	s.Processes, s.Builds = d.supervisor.Status(), d.builder.Status()
	s.Clusters = []simulator.ClusterStatus{}
	if s.Ready {
		// Whoever asks is about to do something.
		d.simulator.Wake()
		var err error
		if s.Clusters, err = d.simulator.Status(); err != nil {
			s.Message = err.Error()
		}
		s.Settled = d.simulator.Settled()
	}
	return s
}

func url(port int) string {
	if port == 0 {
		return ""
	}
	return "http://127.0.0.1:" + strconv.Itoa(port)
}

// programID tells builds of this program apart: the tool restarts a daemon that
// is no longer the program on disk.
func programID() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d-%d", info.Size(), info.ModTime().UnixNano())
}
