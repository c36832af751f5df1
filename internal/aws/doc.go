// Package aws is the layer of the ingress: a network load balancer in the
// cluster's subnets, its target groups and security group, the rules that let
// it reach the nodes, and the wildcard DNS record that points at it.
//
// Every verb reads what there is into plain data (observe), compares that with
// what git declares in pure code (diff) and makes the calls that the
// difference asks for (apply). Planning is the same without the calls.
//
// # Ownership
//
// What belongs to a cluster is found by two tags, given in the same call that
// creates it, so that an interruption never leaves anything unfound:
//
//	platform:cluster    the cluster's name
//	platform:component  ingress
//
// A target group also has platform:listener, the listener's name in git. None
// of kops' tags (KubernetesCluster, kubernetes.io/cluster/NAME) is used: kops
// deletes and prunes by them.
//
// The rules in kops' security group of the nodes have the first two as well;
// kops removes only rules of port 22 there.
//
// DNS records have no tags. Beside the wildcard record *.NAME there is a TXT
// record _platform.NAME, made and deleted in the same change, which says whose
// it is: "heritage=platform,cluster=…,record=…,type=A". No host name begins
// with an underscore, so it is in nobody's way. A record without that mark is
// never touched.
package aws
