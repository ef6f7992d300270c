{{/* Parts that several pods of the release share. */}}

{{/* Where pods run. */}}
{{- define "darkroom.placement" -}}
{{- $nodes := .Values.nodes }}
{{- $name := include "darkroom.name" . }}
{{- $pool := get (dict "dedicated" $name "shared" $nodes.pool) $nodes.mode }}
{{- $selector := merge (dict) .Values.pod.nodeSelector }}
{{- if $pool }}{{ $_ := set $selector "karpenter.sh/nodepool" $pool }}{{ end }}
{{- with $selector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
tolerations:
  {{- if .Values.runtime.accelerator.count }}
  - {key: {{ .Values.runtime.accelerator.resource }}, operator: Exists, effect: NoSchedule}
  {{- end }}
  {{- if $pool }}
  - {key: darkroom/runtime, operator: Equal, value: {{ $pool }}, effect: NoSchedule}
  {{- end }}
  {{- if eq $nodes.mode "dedicated" }}
  {{- range $nodes.taints }}
  - {{ merge (dict "operator" (hasKey . "value" | ternary "Equal" "Exists")) (pick . "key" "value" "effect") | toJson }}
  {{- end }}
  {{- end }}
  {{- with .Values.pod.tolerations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.pod.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.pod.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with .Values.pod.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Pod Security "restricted", whatever else is set. */}}
{{- define "darkroom.podSecurity" -}}
{{ toYaml (mergeOverwrite (dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault")) .Values.pod.securityContext) }}
{{- end }}

{{- define "darkroom.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
{{- end }}

{{/* The runtime's requests and limits, the accelerator among both. */}}
{{- define "darkroom.runtimeResources" -}}
{{- $accelerators := include "darkroom.accelerators" (list 1 .) | fromYaml }}
{{- $resources := .Values.runtime.resources -}}
requests:
  {{- merge (dict) $accelerators ($resources.requests | default dict) | toYaml | nindent 2 }}
limits:
  {{- merge (dict) $accelerators ($resources.limits | default dict) | toYaml | nindent 2 }}
{{- end }}
