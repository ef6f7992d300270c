# The REST API's definition: what API Gateway needs of the HTTP contract, with its integrations. The contract itself stays clean.

locals {
  contract = yamldecode(file(var.openapi_file))

  routes = merge([for path, item in local.contract.paths : {
    for method, operation in item : "${method} ${path}" => {
      path   = path
      method = method
      open   = length(try(operation.security, local.contract.security)) == 0
    } if contains(["get", "put", "post", "delete", "patch", "head"], method)
  }]...)

  # A browser asks first, without a key, where another site's page calls.
  preflights = { for path in distinct([for route in local.routes : route.path]) : "options ${path}" => {
    path   = path
    method = "options"
    open   = true
  } if length(var.cors_origins) > 0 }

  operations = merge(local.routes, local.preflights)

  # The Lambda checks bodies and answers: what it says points to the mistaken field, and API Gateway knows no OpenAPI 3.1.
  paths = { for path in distinct([for operation in local.operations : operation.path]) : path => {
    for operation in local.operations : operation.method => {
      parameters = [for name in regexall("\\{([A-Za-z0-9_]+)\\+?\\}", path) : { name = name[0], in = "path", required = true, schema = { type = "string" } }]
      security   = [for scheme in [local.scheme] : { (scheme) = [] } if !operation.open]
      responses  = { default = { description = "As the contract says" } }
      x-amazon-apigateway-integration = {
        type                = "aws_proxy"
        httpMethod          = "POST"
        uri                 = var.invoke_arn
        passthroughBehavior = "when_no_match"
        timeoutInMillis     = 29000
      }
    } if operation.path == path
  } }

  scheme = var.authorization == "AWS_IAM" ? "signature" : "api_key"
  schemes = {
    api_key   = { type = "apiKey", in = "header", name = "x-api-key" }
    signature = { type = "apiKey", in = "header", name = "Authorization", x-amazon-apigateway-authtype = "awsSigv4" }
  }

  # What API Gateway answers by itself (no key, too many requests) has no data of anybody's: every site may read it.
  gateway_responses = { for type in ["DEFAULT_4XX", "DEFAULT_5XX"] : type => {
    responseParameters = { "gatewayresponse.header.Access-Control-Allow-Origin" = "'*'" }
  } if length(var.cors_origins) > 0 }

  body = jsonencode({
    openapi                               = "3.0.1"
    info                                  = { title = var.name, version = local.contract.info.version }
    paths                                 = local.paths
    components                            = { securitySchemes = { (local.scheme) = local.schemes[local.scheme] } }
    x-amazon-apigateway-gateway-responses = local.gateway_responses
  })
}
