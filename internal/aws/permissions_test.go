package aws

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The list of permissions is what the code calls: no more, no less.
func TestPermissions(t *testing.T) {
	services := map[string]string{"ec2": "ec2", "elb": "elasticloadbalancing", "route53": "route53", "sts": "sts"}
	// A waiter's name isn't that of its call.
	waiters := map[string]string{
		"SecurityGroupExists":       "DescribeSecurityGroups",
		"LoadBalancersDeleted":      "DescribeLoadBalancers",
		"ResourceRecordSetsChanged": "GetChange",
	}
	direct := regexp.MustCompile(`\b(ec2|elb|route53)\.([A-Z]\w+)\(ctx`)
	paged := regexp.MustCompile(`\b(ec2|elb|route53)\.New(\w+)(Paginator|Waiter)\(`)
	identity := regexp.MustCompile(`\bsts\.NewFromConfig\(.*\)\.(\w+)\(ctx`)
	// Tags given at creation need a permission of their own.
	found := []string{"ec2:CreateTags", "elasticloadbalancing:AddTags"}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range direct.FindAllStringSubmatch(string(text), -1) {
			found = append(found, services[m[1]]+":"+m[2])
		}
		for _, m := range paged.FindAllStringSubmatch(string(text), -1) {
			name := m[2]
			if m[3] == "Waiter" {
				name = waiters[name]
			}
			found = append(found, services[m[1]]+":"+name)
		}
		for _, m := range identity.FindAllStringSubmatch(string(text), -1) {
			found = append(found, "sts:"+m[1])
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	if got := Permissions(); !slices.Equal(got, found) {
		for _, p := range found {
			if !slices.Contains(got, p) {
				t.Errorf("%s is called and isn't listed", p)
			}
		}
		for _, p := range got {
			if !slices.Contains(found, p) {
				t.Errorf("%s is listed and isn't called", p)
			}
		}
	}
	if !slices.IsSorted(permissions) {
		t.Error("the list isn't sorted")
	}
}
