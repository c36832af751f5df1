package apiserver_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"platform/test/apiserver"
)

func TestMain(m *testing.M) { apiserver.Main(m) }

func TestServerAnswersAsTheVersionItIs(t *testing.T) {
	server := apiserver.Shared(t)
	client, err := kubernetes.NewForConfig(server.Config)
	if err != nil {
		t.Fatal(err)
	}
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	if version.GitVersion != "v1.36.1" {
		t.Errorf("version %s, want v1.36.1", version.GitVersion)
	}
	list, err := client.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) == 0 {
		t.Error("no namespaces, not even kube-system")
	}
}
