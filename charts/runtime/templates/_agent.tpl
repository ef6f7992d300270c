{{/* The agent's environment: what the chart sets, and from which values. */}}

{{/* Variable → text. docs/reference/environment.md says what each means; an empty one counts as unset. */}}
{{- define "darkroom.agentVariables" -}}
{{- $v := .Values }}
SQS_QUEUE_URL: {{ $v.queue.url | quote }}
SQS_BULK_QUEUE_URL: {{ $v.queue.bulkUrl | default "" | quote }}
VISIBILITY_SECONDS: {{ int64 $v.queue.visibilitySeconds | quote }}
HEARTBEAT_SECONDS: {{ divf $v.queue.visibilitySeconds 3 | quote }}
MAX_ATTEMPTS: {{ int64 $v.queue.maxAttempts | quote }}
SNS_TOPIC_ARN: {{ $v.results.topicArn | quote }}
S3_BUCKET: {{ $v.outputs.bucket | quote }}
AWS_DEFAULT_REGION: {{ $v.aws.region | quote }}
AWS_ENDPOINT_URL: {{ $v.aws.endpointUrl | quote }}
RUNTIME_NAME: {{ include "darkroom.name" . | quote }}
RUNTIME_TYPE: {{ $v.runtime.type | quote }}
API_BASE_URL: {{ printf "http://127.0.0.1:%s" (include "darkroom.port" .) | quote }}
DYNAMIC_SD_MODEL: {{ $v.runtime.dynamicModel | quote }}
RUNTIME_CONCURRENCY: {{ int64 $v.runtime.concurrency | quote }}
WARMUP_JOB: {{ empty $v.runtime.warmUp | ternary "" (toJson $v.runtime.warmUp) | quote }}
RECYCLE_AFTER_JOBS: {{ int64 $v.runtime.recycle.afterJobs | quote }}
RECYCLE_ABOVE_BYTES: {{ int64 $v.runtime.recycle.aboveBytes | quote }}
RUNTIME_MARK_FILE: {{ include "darkroom.markFile" . }}
ALIVE_FILE: /tmp/alive
MAX_JOB_SECONDS: {{ int64 $v.jobs.maxSeconds | quote }}
GRACE_SECONDS: {{ include "darkroom.graceSeconds" . | quote }}
ALLOWED_INPUT_BUCKETS: {{ join "," $v.inputs.buckets | quote }}
ALLOWED_INPUT_HOSTS: {{ join "," $v.inputs.hosts | quote }}
ALLOWED_INPUT_NETWORKS: {{ join "," $v.inputs.networks | quote }}
ALLOWED_INPUT_PORTS: {{ join "," $v.inputs.ports | quote }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ $v.telemetry.otlpEndpoint | quote }}
{{- /* What happened since the last time: any replica of a collector can take that, totals only the one that knows the last. */}}
OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: {{ empty $v.telemetry.otlpEndpoint | ternary "" "delta" | quote }}
{{- if $v.cost.enabled }}
POD_PRICE: {{ empty $v.cost.podPerHour | ternary "" $v.cost.podPerHour | quote }}
{{- if include "darkroom.readsNode" . }}
NODE_PRICES: {{ include "darkroom.nodePrices" . | quote }}
ACCELERATOR_RESOURCE: {{ $v.runtime.accelerator.resource }}
ACCELERATORS: {{ int64 $v.runtime.accelerator.count | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Prices of the nodes that the pod may be on, JSON: of the types that are named, or of all in the region. */}}
{{- define "darkroom.nodePrices" -}}
{{- $prices := get .Values.cost.prices .Values.aws.region | default dict }}
{{- $nodes := .Values.nodes }}
{{- if and (eq $nodes.mode "dedicated") $nodes.instanceTypes }}
{{- $named := dict }}
{{- range $nodes.instanceTypes }}{{ if hasKey $prices . }}{{ $_ := set $named . (get $prices .) }}{{ end }}{{ end }}
{{- $prices = $named }}
{{- end }}
{{- toJson $prices }}
{{- end }}

{{/* Whether the agent must know its node: not on the CPU, whose pods share nodes in no known way. */}}
{{- define "darkroom.readsNode" -}}
{{- $v := .Values }}
{{- if and $v.cost.enabled (not $v.cost.podPerHour) $v.runtime.accelerator.count (ne (include "darkroom.nodePrices" .) "{}") }}true{{ end }}
{{- end }}

{{/* Whether the agent has a token of its service account. */}}
{{- define "darkroom.asksKubernetes" -}}
{{- if or .Values.podMarks.enabled (include "darkroom.readsNode" .) }}true{{ end }}
{{- end }}

{{/* Variable that the chart sets → the value that it comes from. */}}
{{- define "darkroom.agentSources" -}}
SQS_QUEUE_URL: queue.url
SQS_BULK_QUEUE_URL: queue.bulkUrl
VISIBILITY_SECONDS: queue.visibilitySeconds
MAX_ATTEMPTS: queue.maxAttempts
SNS_TOPIC_ARN: results.topicArn
S3_BUCKET: outputs.bucket
AWS_DEFAULT_REGION: aws.region
AWS_ENDPOINT_URL: aws.endpointUrl
RUNTIME_NAME: runtime.name
RUNTIME_TYPE: runtime.type
API_BASE_URL: runtime.port
DYNAMIC_SD_MODEL: runtime.dynamicModel
RUNTIME_CONCURRENCY: runtime.concurrency
WARMUP_JOB: runtime.warmUp
RECYCLE_AFTER_JOBS: runtime.recycle.afterJobs
RECYCLE_ABOVE_BYTES: runtime.recycle.aboveBytes
RUNTIME_MARK_FILE: the chart
ALIVE_FILE: the chart
MAX_JOB_SECONDS: jobs.maxSeconds
GRACE_SECONDS: jobs.maxSeconds
ALLOWED_INPUT_BUCKETS: inputs.buckets
ALLOWED_INPUT_HOSTS: inputs.hosts
ALLOWED_INPUT_NETWORKS: inputs.networks
ALLOWED_INPUT_PORTS: inputs.ports
OTEL_EXPORTER_OTLP_ENDPOINT: telemetry.otlpEndpoint
POD_PRICE: cost.podPerHour
NODE_PRICES: cost.prices
NODE_NAME: cost.enabled
ACCELERATOR_RESOURCE: runtime.accelerator.resource
ACCELERATORS: runtime.accelerator.count
POD_NAME: podMarks.enabled
POD_NAMESPACE: podMarks.enabled
{{- end }}

{{/* The list for a container: what is set, by name; `agent.settings` last. */}}
{{- define "darkroom.agentEnv" -}}
{{- $variables := merge (dict) .Values.agent.settings (include "darkroom.agentVariables" . | fromYaml) }}
{{- range $name, $value := $variables }}
{{- if $value }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "darkroom.markFile" -}}
/run/darkroom/restart
{{- end }}
