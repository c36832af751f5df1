// Package channel applies kops' own addons (CoreDNS, the network, the cloud
// controller, the EBS driver) to a cluster. On a machine the static pod
// kops-channels does it; here it is the same code, kops' own, called for several
// clusters from one process.
package channel

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/blang/semver/v4"
	certmanager "github.com/cert-manager/cert-manager/pkg/client/clientset/versioned"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/kops/channels/pkg/channels"
	"k8s.io/kops/util/pkg/vfs"
)

// Location is where kops keeps the list of a cluster's addons.
func Location(configBase string) string { return configBase + "/addons/bootstrap-channel.yaml" }

// Apply applies what of a channel isn't applied yet and gives the names of what
// it applied, also together with an error: kops' applier fails until an addon's
// objects are healthy, and is then called again.
func Apply(ctx context.Context, config *rest.Config, location string) ([]string, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	certificates, err := certmanager.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	// A mapper of its own each time, or it wouldn't learn of new kinds.
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))

	menu, err := menu(client, location)
	if err != nil {
		return nil, err
	}
	versions, err := installed(ctx, client)
	if err != nil {
		return nil, err
	}
	var applied []string
	var errs []error
	for _, addon := range menu.Addons {
		update, err := addon.EnsureUpdated(ctx, vfs.Context, client, certificates,
			&channels.Pruner{Client: objects, RESTMapper: mapper},
			&channels.ClientApplier{Client: objects, RESTMapper: mapper},
			versions[addon.GetNamespace()+":"+addon.Name])
		if err != nil {
			errs = append(errs, fmt.Errorf("addon %s: %w", addon.Name, err))
		} else if update != nil {
			applied = append(applied, addon.Name)
		}
	}
	if err := removeAggregated(ctx, objects); err != nil {
		errs = append(errs, err)
	}
	return applied, errors.Join(errs...)
}

var apiServices = schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}

// removeAggregated takes away the addons' aggregated APIs, such as the metrics
// server's: simulated pods serve none, and as long as one is registered and
// doesn't answer, no namespace can be deleted, since the namespace controller
// must know all kinds (Kubernetes: Configure the Aggregation Layer).
func removeAggregated(ctx context.Context, objects dynamic.Interface) error {
	list, err := objects.Resource(apiServices).List(ctx, metav1.ListOptions{LabelSelector: addonLabel})
	if err != nil {
		return fmt.Errorf("listing aggregated APIs: %w", err)
	}
	for _, item := range list.Items {
		if _, served, _ := unstructured.NestedMap(item.Object, "spec", "service"); !served {
			continue
		}
		err := objects.Resource(apiServices).Delete(ctx, item.GetName(), metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("removing the aggregated API %s: %w", item.GetName(), err)
		}
	}
	return nil
}

// addonLabel is on every object of kops' addons.
const addonLabel = "addon.kops.k8s.io/name"

// menu gives the addons that suit the cluster's version.
func menu(client kubernetes.Interface, location string) (*channels.AddonMenu, error) {
	info, err := client.Discovery().ServerVersion()
	if err != nil {
		return nil, fmt.Errorf("asking for the API server's version: %w", err)
	}
	version, err := semver.ParseTolerant(info.GitVersion)
	if err != nil {
		return nil, fmt.Errorf("the API server's version %q: %w", info.GitVersion, err)
	}
	version.Pre = nil
	at, err := url.Parse(location)
	if err != nil {
		return nil, err
	}
	addons, err := channels.LoadAddons(vfs.Context, location, at)
	if err != nil {
		return nil, err
	}
	return addons.GetCurrent(version)
}

// installed gives the versions of the addons in a cluster, by namespace and
// name: kops notes them on the namespaces.
func installed(ctx context.Context, client kubernetes.Interface) (map[string]*channels.ChannelVersion, error) {
	namespaces, err := client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing namespaces: %w", err)
	}
	out := map[string]*channels.ChannelVersion{}
	for i := range namespaces.Items {
		for name, version := range channels.FindChannelVersions(&namespaces.Items[i]) {
			out[namespaces.Items[i].Name+":"+name] = version
		}
	}
	return out, nil
}
