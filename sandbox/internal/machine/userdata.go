package machine

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"regexp"
	"strings"

	"k8s.io/kops/pkg/apis/nodeup"
	"k8s.io/kops/upup/pkg/fi/utils"
)

// errNotKops means that a machine doesn't boot into a cluster, as a bastion
// doesn't.
var errNotKops = errors.New("the user data has no kops boot configuration")

// The two ways in which kops' boot script carries its configuration
// (pkg/model/resources/nodeup.go).
var (
	plainEnv      = regexp.MustCompile(`(?s)cat > conf/kube_env\.yaml << '__EOF_KUBE_ENV'\n(.*?)\n__EOF_KUBE_ENV`)
	compressedEnv = regexp.MustCompile(`echo "([A-Za-z0-9+/=]+)" \| base64 -d \| gzip -d > conf/kube_env\.yaml`)
)

// parseUserData finds kops' boot configuration in a machine's user data.
func parseUserData(userData []byte) (*nodeup.BootConfig, error) {
	script, err := bootScript(userData)
	if err != nil {
		return nil, err
	}
	env, err := kubeEnv(script)
	if err != nil {
		return nil, err
	}
	config := &nodeup.BootConfig{}
	if err := utils.YamlUnmarshal(env, config); err != nil {
		return nil, fmt.Errorf("parsing kube_env.yaml: %w", err)
	}
	return config, nil
}

func kubeEnv(script []byte) ([]byte, error) {
	if found := plainEnv.FindSubmatch(script); found != nil {
		return found[1], nil
	}
	found := compressedEnv.FindSubmatch(script)
	if found == nil {
		return nil, errNotKops
	}
	packed, err := base64.StdEncoding.DecodeString(string(found[1]))
	if err != nil {
		return nil, fmt.Errorf("decoding kube_env.yaml: %w", err)
	}
	unpacker, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("decompressing kube_env.yaml: %w", err)
	}
	env, err := io.ReadAll(unpacker)
	if err != nil {
		return nil, fmt.Errorf("decompressing kube_env.yaml: %w", err)
	}
	return env, nil
}

// bootScript is kops' own part of user data that carries others as well.
func bootScript(userData []byte) ([]byte, error) {
	if !bytes.HasPrefix(userData, []byte("Content-Type: multipart/")) {
		return userData, nil
	}
	message, err := mail.ReadMessage(bytes.NewReader(userData))
	if err != nil {
		return nil, fmt.Errorf("parsing the user data: %w", err)
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return nil, fmt.Errorf("parsing the user data: %w", err)
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, errNotKops
		}
		if err != nil {
			return nil, fmt.Errorf("parsing the user data: %w", err)
		}
		if strings.EqualFold(part.FileName(), "nodeup.sh") {
			return io.ReadAll(part)
		}
	}
}
