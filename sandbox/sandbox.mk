# What the sandbox is made of. Included by the Makefile; all paths are relative
# to the repository's root.

SANDBOX := .sandbox
KWOK_MODULE := sigs.k8s.io/kwok

# The newest Kubernetes is the one of sandbox/controlplane/go.mod; each older one
# has a module file k8s-VERSION.mod beside it.
KUBERNETES := $(shell sed -nE 's|^[[:space:]]*k8s.io/kubernetes v||p' sandbox/controlplane/go.mod)
CONTROLPLANE_SOURCES := $(wildcard sandbox/controlplane/*.go)

# $(call kubernetes_flags,VERSION): Kubernetes takes its version from the linker.
kubernetes_flags = -ldflags "-s -w \
	-X k8s.io/component-base/version.gitVersion=v$(1) \
	-X k8s.io/component-base/version.gitMajor=$(word 1,$(subst ., ,$(1))) \
	-X k8s.io/component-base/version.gitMinor=$(word 2,$(subst ., ,$(1)))"

.PHONY: sandbox
sandbox: $(SANDBOX)/venv/.installed $(SANDBOX)/bin/sandboxd $(SANDBOX)/bin/kwok $(SANDBOX)/kwok/.copied \
	$(SANDBOX)/bin/controlplane-$(KUBERNETES) bin/kubectl ## build the sandbox (AWS and Kubernetes on this machine)

$(SANDBOX)/venv/.installed: sandbox/aws/requirements.txt
	python3 -m venv $(SANDBOX)/venv
	$(SANDBOX)/venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(SANDBOX)/bin/sandboxd: sandbox/go.mod sandbox/go.sum $(shell find sandbox/cmd sandbox/internal -name '*.go' -not -name '*_test.go')
	$(GO) build -C sandbox -ldflags "-s -w" -o ../$@ ./cmd/sandboxd

$(SANDBOX)/bin/kwok: sandbox/kwok/go.mod sandbox/kwok/go.sum
	$(GO) build -C sandbox/kwok -ldflags "-s -w" -o ../../$@ $(KWOK_MODULE)/cmd/kwok

# KWOK's stages come with its module, of the same version.
$(SANDBOX)/kwok/.copied: sandbox/kwok/go.mod
	@mkdir -p $(SANDBOX)/kwok
	stages="$$($(GO) list -C sandbox/kwok -m -f '{{.Dir}}' $(KWOK_MODULE))/kustomize/stage" && \
	for file in node/fast/node-initialize node/heartbeat-with-lease/node-heartbeat-with-lease pod/fast/pod-ready pod/fast/pod-complete pod/fast/pod-delete; do \
		install -m 644 "$$stages/$$file.yaml" $(SANDBOX)/kwok/ || exit 1; \
	done
	@touch $@

$(SANDBOX)/bin/controlplane-$(KUBERNETES): sandbox/controlplane/go.mod sandbox/controlplane/go.sum $(CONTROLPLANE_SOURCES)
	$(GO) build -C sandbox/controlplane $(call kubernetes_flags,$(KUBERNETES)) -o ../../$@ .

$(SANDBOX)/bin/controlplane-%: sandbox/controlplane/k8s-%.mod sandbox/controlplane/k8s-%.sum $(CONTROLPLANE_SOURCES)
	$(GO) build -C sandbox/controlplane -modfile=k8s-$*.mod $(call kubernetes_flags,$*) -o ../../$@ .

bin/kubectl: sandbox/controlplane/go.mod sandbox/controlplane/go.sum
	$(GO) build -C sandbox/controlplane $(call kubernetes_flags,$(KUBERNETES)) -o ../../$@ k8s.io/kubernetes/cmd/kubectl
