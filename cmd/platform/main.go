package main

import (
	_ "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	_ "github.com/google/go-jsonnet"
	_ "github.com/spf13/cobra"
	_ "github.com/spf13/viper"
	_ "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	_ "k8s.io/client-go/dynamic"
	_ "k8s.io/kops/pkg/instancegroups"
	_ "k8s.io/kops/pkg/kubeconfig"
	_ "k8s.io/kops/pkg/resources/ops"
	_ "k8s.io/kops/pkg/validation"
	_ "k8s.io/kops/upup/pkg/fi/cloudup"
	_ "sigs.k8s.io/controller-runtime/pkg/log"
)

func main() {}
