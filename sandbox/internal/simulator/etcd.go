package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// deletePrefix deletes all keys with a prefix, by etcd's JSON gateway: one call
// isn't worth a gRPC client.
func deletePrefix(ctx context.Context, etcd, prefix string) error {
	body, err := json.Marshal(map[string][]byte{"key": []byte(prefix), "range_end": prefixEnd(prefix)})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, etcd+"/v3/kv/deleterange", bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("deleting the keys %s* from etcd: %w", prefix, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		reason, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		return fmt.Errorf("deleting the keys %s* from etcd: %s: %s", prefix, response.Status, reason)
	}
	return nil
}

// prefixEnd is the first key after all keys with a prefix.
func prefixEnd(prefix string) []byte {
	end := []byte(prefix)
	end[len(end)-1]++
	return end
}
