{{/* The two containers of a pod. */}}

{{/*
A native sidecar: the agent starts once it is ready, and leaves before it. Its liveness is the agent's mark alone, since
a hanging runtime answers HTTP all the same.
*/}}
{{- define "darkroom.runtimeContainer" -}}
{{- $r := .Values.runtime -}}
- name: runtime
  restartPolicy: Always
  image: {{ include "darkroom.runtimeImage" . }}
  imagePullPolicy: {{ $r.image.pullPolicy }}
  {{- with $r.command }}
  command:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $r.args }}
  args:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "darkroom.runtimeEnv" . }}
  env:
    {{- . | trim | nindent 4 }}
  {{- end }}
  {{- with $r.envFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ports:
    - {name: api, containerPort: {{ include "darkroom.port" . }}}
  startupProbe:
    httpGet: {path: {{ include "darkroom.readyPath" . | quote }}, port: api}
    # Gently: A1111 was seen to die of requests that come too early.
    periodSeconds: 5
    timeoutSeconds: 4
    failureThreshold: {{ divf $r.startupSeconds 5 | ceil | int64 }}
  livenessProbe:
    exec:
      command: ["/bin/sh", "-c", "test ! -e {{ include "darkroom.markFile" . }}"]
    periodSeconds: 5
    # Not of the shell's start: on a node whose processors are busy that takes seconds, and nothing is wrong.
    timeoutSeconds: 10
    failureThreshold: 1
    terminationGracePeriodSeconds: 10
  resources:
    {{- include "darkroom.runtimeResources" . | nindent 4 }}
  securityContext:
    {{- mergeOverwrite (include "darkroom.containerSecurity" . | fromYaml) $r.securityContext | toYaml | nindent 4 }}
  volumeMounts:
    - {name: marks, mountPath: /run/darkroom}
    - {name: shared-memory, mountPath: /dev/shm}
    - {name: scratch, mountPath: /tmp}
    {{- if ne .Values.models.mode "none" }}
    - {name: models, mountPath: {{ .Values.models.mountPath | quote }}, readOnly: true}
    {{- end }}
    {{- range $path, $_ := $r.files }}
    - {name: files, mountPath: {{ $path | quote }}, subPath: {{ include "darkroom.fileKey" $path }}, readOnly: true}
    {{- end }}
    {{- with $r.volumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "darkroom.runtimeEnv" -}}
{{- $env := merge (dict) .Values.runtime.env }}
{{- with .Values.runtime.checkpoint }}
{{- $_ := set $env "COMMANDLINE_ARGS" (printf "--ckpt '%s/%s'" (trimSuffix "/" $.Values.models.mountPath) .) }}
{{- end }}
{{- range $name, $value := $env }}
- name: {{ $name }}
  {{- if kindIs "map" $value }}
  {{- toYaml $value | nindent 2 }}
  {{- else }}
  value: {{ $value | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "darkroom.agentContainer" -}}
- name: agent
  image: {{ include "darkroom.agentImage" . }}
  imagePullPolicy: {{ .Values.agent.image.pullPolicy }}
  env:
    {{- include "darkroom.agentEnv" . | trim | nindent 4 }}
    {{- with .Values.runtime.apiKeySecret }}
    - name: RUNTIME_API_KEY
      valueFrom: {secretKeyRef: {{ toJson . }}}
    {{- end }}
    {{- if .Values.podMarks.enabled }}
    - name: POD_NAME
      valueFrom: {fieldRef: {fieldPath: metadata.name}}
    - name: POD_NAMESPACE
      valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
    {{- end }}
    {{- if include "darkroom.readsNode" . }}
    - name: NODE_NAME
      valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
    {{- end }}
  # Whether its runtime is up: a pod that could take no job stops a rollout, and is the first to go.
  readinessProbe:
    exec:
      command: [python, -m, darkroom_agent.alive, ready]
    periodSeconds: 10
    timeoutSeconds: 10
    failureThreshold: 1
  # Whether its event loop turns: one that does not cannot leave politely either.
  livenessProbe:
    exec:
      command: [python, -m, darkroom_agent.alive]
    periodSeconds: 20
    timeoutSeconds: 10
    failureThreshold: 3
    terminationGracePeriodSeconds: 10
  resources:
    {{- toYaml .Values.agent.resources | nindent 4 }}
  securityContext:
    {{- include "darkroom.containerSecurity" . | nindent 4 }}
    readOnlyRootFilesystem: true
  volumeMounts:
    - {name: marks, mountPath: /run/darkroom}
    - {name: agent-scratch, mountPath: /tmp}
    {{- if include "darkroom.asksKubernetes" . }}
    - {name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
    {{- end }}
{{- end }}
