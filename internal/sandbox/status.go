package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Status is how the sandbox does.
type Status struct {
	// Running is false of a sandbox that is stopped; the rest is then empty.
	Running bool      `json:"running"`
	PID     int       `json:"pid,omitempty"`
	Started time.Time `json:"started,omitzero"`
	// Ready means that AWS and the proxy serve.
	Ready bool `json:"ready"`
	// Settled means that every cluster does, too, that can.
	Settled   bool           `json:"settled"`
	Message   string         `json:"message,omitempty"`
	AWS       string         `json:"aws,omitempty"`
	Mirror    string         `json:"mirror,omitempty"`
	Proxy     string         `json:"proxy,omitempty"`
	Clusters  []Cluster      `json:"clusters"`
	Builds    []Build        `json:"builds"`
	Processes []Process      `json:"processes"`
	Ports     map[string]int `json:"ports,omitempty"`

	program   string
	arguments []string
}

// Cluster is a cluster of the sandbox.
type Cluster struct {
	Name string `json:"name"`
	// State is stopped, building, starting, ready or failed.
	State   string `json:"state"`
	Message string `json:"message,omitempty"`
	Version string `json:"version,omitempty"`
	// API is the API server's own address; the kubeconfig leads there by the
	// proxy.
	API string `json:"api,omitempty"`
	// Addons says why kops' addons aren't all applied yet.
	Addons   string    `json:"addons,omitempty"`
	Machines []Machine `json:"machines"`
}

// Machine is a simulated machine.
type Machine struct {
	ID            string `json:"id"`
	InstanceGroup string `json:"instanceGroup,omitempty"`
	Role          string `json:"role,omitempty"`
	Zone          string `json:"zone,omitempty"`
	Version       string `json:"version,omitempty"`
	Ready         bool   `json:"ready"`
	Message       string `json:"message,omitempty"`
}

// Build is a control plane's program in the making.
type Build struct {
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	Failed  bool      `json:"failed,omitempty"`
	Message string    `json:"message"`
	Log     string    `json:"log"`
}

// Process is a supervised process.
type Process struct {
	Name string `json:"name"`
	// State is waiting, starting, ready, crashed or stopping.
	State    string    `json:"state"`
	PID      int       `json:"pid,omitempty"`
	Since    time.Time `json:"since"`
	Restarts int       `json:"restarts"`
	LastExit string    `json:"lastExit,omitempty"`
	Log      string    `json:"log"`
}

// GetStatus asks the sandbox how it does, without starting it.
func GetStatus(ctx context.Context, o Options) (Status, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Status{}, err
	}
	pid, err := daemonPID(o)
	if err != nil || pid == 0 {
		return Status{Clusters: []Cluster{}, Builds: []Build{}, Processes: []Process{}}, err
	}
	return ask(ctx, o)
}

// ask asks the daemon.
func ask(ctx context.Context, o Options) (Status, error) {
	response, err := call(ctx, o, http.MethodGet, "/status")
	if err != nil {
		return Status{}, err
	}
	defer response.Body.Close()
	wire := struct {
		Status
		Program   string   `json:"program"`
		Arguments []string `json:"arguments"`
	}{}
	if err := json.NewDecoder(response.Body).Decode(&wire); err != nil {
		return Status{}, fmt.Errorf("asking the sandbox for its status: %w", err)
	}
	s := wire.Status
	s.Running, s.program, s.arguments = true, wire.Program, wire.Arguments
	return s, nil
}

const callTimeout = 10 * time.Second

func call(ctx context.Context, o Options, method, path string) (*http.Response, error) {
	client := &http.Client{Timeout: callTimeout, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", o.socket())
		},
	}}
	request, err := http.NewRequestWithContext(ctx, method, "http://sandbox"+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking the sandbox at %s: %w", o.socket(), errors.Unwrap(err))
	}
	if response.StatusCode/100 != 2 {
		response.Body.Close()
		return nil, fmt.Errorf("asking the sandbox at %s: %s", o.socket(), response.Status)
	}
	return response, nil
}

// String is the status for people: tables whose columns are separated by tabs.
func (s Status) String() string {
	if !s.Running {
		return "The sandbox is stopped."
	}
	var out strings.Builder
	fmt.Fprintf(&out, "The sandbox is %s: process %d, since %s.\n\n", s.Message, s.PID, s.Started.Local().Format(time.DateTime))
	fmt.Fprintf(&out, "AWS\t%s\nAPI proxy\t%s\nmirror\t%s\n", s.AWS, s.Proxy, s.Mirror)
	if len(s.Clusters) > 0 {
		fmt.Fprintf(&out, "\nCLUSTER\tKUBERNETES\tSTATE\tMACHINES\t\n")
		for _, c := range s.Clusters {
			fmt.Fprintf(&out, "%s\t%s\t%s\t%s\t%s\n", c.Name, dash(c.Version), c.State, c.machines(), c.note())
		}
	}
	for _, b := range s.Builds {
		fmt.Fprintf(&out, "\n%s (%s)\n", b.Message, b.Log)
	}
	fmt.Fprintf(&out, "\nPROCESS\tSTATE\tRESTARTS\tLOG\n")
	for _, p := range s.Processes {
		fmt.Fprintf(&out, "%s\t%s\t%d\t%s\n", p.Name, p.State, p.Restarts, p.Log)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func (c Cluster) machines() string {
	ready := 0
	for _, m := range c.Machines {
		if m.Ready {
			ready++
		}
	}
	return fmt.Sprintf("%d of %d ready", ready, len(c.Machines))
}

// note is the most telling of the cluster's messages.
func (c Cluster) note() string {
	if c.Message != "" {
		return c.Message
	}
	if i := slices.IndexFunc(c.Machines, func(m Machine) bool { return m.Message != "" }); i >= 0 {
		return c.Machines[i].ID + ": " + c.Machines[i].Message
	}
	if c.Addons != "" {
		return "kops' addons: " + c.Addons
	}
	return ""
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
