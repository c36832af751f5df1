(import 'this.libsonnet').declaration
