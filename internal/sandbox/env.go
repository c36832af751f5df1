package sandbox

import (
	"fmt"
	"os"
	"strings"
)

// forbidden are the variables by which a person's real account, or another
// endpoint than the sandbox's, could get between. Empty, they count as not set.
var forbidden = []string{
	"AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_USE_FIPS_ENDPOINT",
	"AWS_USE_DUALSTACK_ENDPOINT", "AWS_CA_BUNDLE", "AWS_BEARER_TOKEN_BEDROCK", "KOPS_CLUSTER_NAME", "KOPS_RUN_TOO_NEW_VERSION",
}

// endpointPrefix begins the variables that name an endpoint for one service, and
// win over the one for all.
const endpointPrefix = "AWS_ENDPOINT_URL_"

// key opens nothing: the emulated AWS takes any.
const key = "sandbox"

// Env is the environment that points a process at the sandbox: this one, and
// those of stock tools such as kops, kubectl and the AWS CLI.
func (s *Sandbox) Env() map[string]string {
	o := s.options
	env := map[string]string{}
	for _, name := range forbidden {
		env[name] = ""
	}
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, endpointPrefix) {
			env[name] = ""
		}
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": s.status.AWS, "AWS_REGION": o.Region, "AWS_DEFAULT_REGION": o.Region,
		"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": key, "AWS_EC2_METADATA_DISABLED": "true",
		// The AWS CLI takes an empty name of a profile for the name of one: the
		// only one there is says nothing.
		"AWS_PROFILE": "default", "AWS_DEFAULT_PROFILE": "default",
		"AWS_CONFIG_FILE": o.awsConfig(), "AWS_SHARED_CREDENTIALS_FILE": o.awsCredentials(),

		"S3_ENDPOINT": s.status.AWS, "S3_REGION": o.Region, "S3_ACCESS_KEY_ID": key, "S3_SECRET_ACCESS_KEY": key,
		"KOPS_STATE_STORE": "s3://" + o.StateBucket,
		"KOPS_BASE_URL":    fmt.Sprintf("%s/kops/%s/", s.status.Mirror, o.KopsVersion),
		// No registry is asked for the digests of images.
		"KOPS_FEATURE_FLAGS": "-ImageDigest",

		"KUBECONFIG": o.kubeconfig(), "PLATFORM_KUBECONFIG": o.kubeconfig(),
		"PLATFORM_API_PROXY": s.status.Proxy,

		// Machines boot in a moment here.
		"PLATFORM_ROLLING_INTERVAL": "1s", "PLATFORM_ROLLING_DRAIN_DELAY": "0s",
		"PLATFORM_ROLLING_VALIDATE_TICK": "1s", "PLATFORM_ROLLING_VALIDATE_SUCCESS": "2s",
	} {
		env[name] = value
	}
	return env
}

// writeFiles writes the AWS configuration files that Env names. They say nothing.
func writeFiles(o Options) error {
	if err := os.WriteFile(o.awsConfig(), []byte("[default]\n"), 0o644); err != nil {
		return err
	}
	return os.WriteFile(o.awsCredentials(), nil, 0o600)
}
