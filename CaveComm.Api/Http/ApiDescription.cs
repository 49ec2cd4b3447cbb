using CaveComm.Api.Http.Idempotency;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace CaveComm.Api.Http;

/// <summary>Tells the OpenAPI document what the framework cannot see: bodies that endpoints read themselves, and the Idempotency-Key.</summary>
internal sealed class ApiDescription : IOpenApiOperationTransformer
{
    private static readonly string[] BodyTypes = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];

    public async Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        if (metadata.OfType<DescribedBody>().LastOrDefault() is { } body)
        {
            operation.RequestBody = await Body(body, context, cancellationToken);
        }

        if (metadata.OfType<AnswerRule>().LastOrDefault() is AnswerRule.Kept && HttpMethods.IsPost(context.Description.HttpMethod ?? ""))
        {
            (operation.Parameters ??= []).Add(Key());
        }
    }

    private static async Task<OpenApiRequestBody> Body(DescribedBody body, OpenApiOperationTransformerContext context, CancellationToken cancel)
    {
        var schema = await context.GetOrCreateSchemaAsync(body.Type, null, cancel);
        IOpenApiSchema shown = schema;
        if (context.Document is { } document)
        {
            document.AddComponent(body.Type.Name, schema);
            shown = new OpenApiSchemaReference(body.Type.Name, document);
        }

        return new OpenApiRequestBody
        {
            Required = true,
            Content = BodyTypes.ToDictionary(it => it, _ => new OpenApiMediaType { Schema = shown }),
        };
    }

    private static OpenApiParameter Key() => new()
    {
        Name = IdempotencyKey.Header,
        In = ParameterLocation.Header,
        Required = false,
        Description = "Makes a repeat harmless: the same key with the same body gets the first answer again, for a day. With another body it is 422. Take a random UUID.",
        Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = IdempotencyKey.MostCharacters, Pattern = "^[!-~]+$" },
    };
}
