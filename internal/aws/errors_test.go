package aws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// answering is a server that refuses everything with one code.
func answering(t *testing.T, status int, code, message string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		if strings.Contains(r.URL.Path, "hostedzone") || r.Header.Get("Content-Type") == "" {
			fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>`, code, message)
			return
		}
		body := fmt.Sprintf(`<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>`, code, message)
		if err := r.ParseForm(); err == nil && strings.HasPrefix(r.Form.Get("Version"), "2016") { // EC2 has its own form
			body = fmt.Sprintf(`<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors></Response>`, code, message)
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func closedPort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

// once keeps the SDK from trying again, which only takes time here.
func once(cfg *awssdk.Config) {
	cfg.Retryer = func() awssdk.Retryer { return retry.AddWithMaxAttempts(retry.NewStandard(), 1) }
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		name string
		cfg  func(t *testing.T) awssdk.Config
		kind Kind
		want []string
	}{
		{"no credentials", func(t *testing.T) awssdk.Config {
			cfg := sdkConfig("http://127.0.0.1:1")
			cfg.Credentials = awssdk.NewCredentialsCache(awssdk.CredentialsProviderFunc(func(context.Context) (awssdk.Credentials, error) {
				return awssdk.Credentials{}, errors.New("no EC2 IMDS role found")
			}))
			return cfg
		}, KindCredentials, []string{"no AWS credentials were found: set AWS_PROFILE"}},
		{"expired sign-on", func(t *testing.T) awssdk.Config {
			cfg := sdkConfig("http://127.0.0.1:1")
			cfg.Credentials = awssdk.CredentialsProviderFunc(func(context.Context) (awssdk.Credentials, error) {
				return awssdk.Credentials{}, errors.New("refresh cached SSO token failed")
			})
			return cfg
		}, KindCredentials, []string{"the single sign-on session has expired"}},
		{"wrong credentials", func(t *testing.T) awssdk.Config {
			return sdkConfig(answering(t, 403, "InvalidClientTokenId", "The security token included in the request is invalid."))
		}, KindCredentials, []string{"AWS refuses the credentials (InvalidClientTokenId)", "aws sts get-caller-identity"}},
		{"unreachable", func(t *testing.T) awssdk.Config { return sdkConfig(closedPort(t)) },
			KindUnreachable, []string{"AWS can't be reached (connection refused): check this machine's network", "region"}},
		{"no such host", func(t *testing.T) awssdk.Config { return sdkConfig("http://ec2.nowhere-9.invalid") },
			KindUnreachable, []string{"AWS can't be reached", "the region in the cluster's cluster.jsonnet"}},
		{"denied", func(t *testing.T) awssdk.Config {
			return sdkConfig(answering(t, 403, "UnauthorizedOperation", "You are not authorized to perform this operation."))
		}, KindAccessDenied, []string{"AWS doesn't allow ", ": docs/iam-policy.json lists what the tool needs"}},
		{"denied, with names", func(t *testing.T) awssdk.Config {
			return sdkConfig(answering(t, 403, "AccessDenied", "User: arn:aws:iam::1:user/x is not authorized to perform: route53:ListHostedZonesByName because no identity-based policy allows it"))
		}, KindAccessDenied, []string{"AWS doesn't allow route53:ListHostedZonesByName to arn:aws:iam::1:user/x"}},
		{"throttled", func(t *testing.T) awssdk.Config { return sdkConfig(answering(t, 400, "Throttling", "Rate exceeded")) },
			KindThrottled, []string{"AWS throttles requests from this account (Throttling): wait a minute and run it again"}},
		{"quota", func(t *testing.T) awssdk.Config {
			return sdkConfig(answering(t, 400, "TooManyLoadBalancers", "You've reached the limit"))
		}, KindQuota, []string{"a quota of the account is used up (TooManyLoadBalancers)"}},
		{"anything else", func(t *testing.T) awssdk.Config {
			return sdkConfig(answering(t, 400, "Strange", "Something odd happened."))
		}, KindOther, []string{"Something odd happened (Strange)"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := test.cfg(t)
			once(&cfg)
			l := New(cfg, testSpec(t), nil)
			for what, call := range map[string]func() error{
				"plan":   func() error { _, err := l.Plan(t.Context()); return err },
				"whoami": func() error { _, err := WhoAmI(t.Context(), cfg); return err },
			} {
				err := call()
				var e *Error
				if !errors.As(err, &e) {
					t.Fatalf("%s: %v", what, err)
				}
				if e.Kind != test.kind {
					t.Errorf("%s: the kind is %s, want %s", what, e.Kind, test.kind)
				}
				for _, want := range test.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%s: %q isn't in: %v", what, want, err)
					}
				}
				if text := err.Error(); strings.Contains(text, "operation error") || strings.Contains(text, "\n") || !strings.HasPrefix(text, "aws: ") {
					t.Errorf("%s: not one clear sentence: %s", what, text)
				}
			}
		})
	}
}

// EC2 doesn't say which action it doesn't allow, so we do.
func TestDeniedActionIsNamed(t *testing.T) {
	cfg := sdkConfig(answering(t, 403, "UnauthorizedOperation", "You are not authorized to perform this operation."))
	once(&cfg)
	l := New(cfg, testSpec(t), nil)
	_, err := l.findVPC(t.Context())
	if want := "AWS doesn't allow ec2:DescribeVpcs:"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestCancelledIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := New(sdkConfig(closedPort(t)), testSpec(t), nil).Plan(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
