package aws

import "slices"

// permissions are the calls of this layer, as IAM names them.
var permissions = []string{
	"ec2:AuthorizeSecurityGroupEgress",
	"ec2:AuthorizeSecurityGroupIngress",
	"ec2:CreateSecurityGroup",
	"ec2:CreateTags",
	"ec2:DeleteSecurityGroup",
	"ec2:DescribeSecurityGroupRules",
	"ec2:DescribeSecurityGroups",
	"ec2:DescribeSubnets",
	"ec2:DescribeVpcs",
	"ec2:RevokeSecurityGroupEgress",
	"ec2:RevokeSecurityGroupIngress",
	"elasticloadbalancing:AddTags",
	"elasticloadbalancing:CreateListener",
	"elasticloadbalancing:CreateLoadBalancer",
	"elasticloadbalancing:CreateTargetGroup",
	"elasticloadbalancing:DeleteListener",
	"elasticloadbalancing:DeleteLoadBalancer",
	"elasticloadbalancing:DeleteTargetGroup",
	"elasticloadbalancing:DescribeListeners",
	"elasticloadbalancing:DescribeLoadBalancerAttributes",
	"elasticloadbalancing:DescribeLoadBalancers",
	"elasticloadbalancing:DescribeTags",
	"elasticloadbalancing:DescribeTargetGroupAttributes",
	"elasticloadbalancing:DescribeTargetGroups",
	"elasticloadbalancing:DescribeTargetHealth",
	"elasticloadbalancing:ModifyListener",
	"elasticloadbalancing:ModifyLoadBalancerAttributes",
	"elasticloadbalancing:ModifyTargetGroup",
	"elasticloadbalancing:ModifyTargetGroupAttributes",
	"elasticloadbalancing:SetSecurityGroups",
	"elasticloadbalancing:SetSubnets",
	"route53:ChangeResourceRecordSets",
	"route53:GetChange",
	"route53:ListHostedZonesByName",
	"route53:ListResourceRecordSets",
	"sts:GetCallerIdentity",
}

// Permissions lists the IAM actions that the layer needs, sorted.
func Permissions() []string { return slices.Clone(permissions) }

// permission is the IAM action of a call, by the SDK's name of its service.
func permission(service, operation string) string {
	prefix := map[string]string{
		"EC2":                       "ec2",
		"Elastic Load Balancing v2": "elasticloadbalancing",
		"Route 53":                  "route53",
		"STS":                       "sts",
	}[service]
	if prefix == "" {
		prefix = service
	}
	return prefix + ":" + operation
}
