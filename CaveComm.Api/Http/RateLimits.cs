using System.Threading.RateLimiting;
using CaveComm.Api.Identity;
using Microsoft.AspNetCore.RateLimiting;

namespace CaveComm.Api.Http;

/// <summary>How often an address may ask for what costs us a hash, a mail or a signature. Guesses of passwords have limits of their own: <see cref="GuessLimits"/>.</summary>
internal static class RateLimits
{
    public const string Registrations = "registrations";
    public const string ResetMails = "reset-mails";
    public const string Tokens = "tokens";

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    public static void AddRateLimits(this IServiceCollection services)
    {
        services.AddRateLimiter(options => options.OnRejected = Refuse);
        services.AddOptions<RateLimiterOptions>().Configure<IConfiguration>((options, configuration) =>
        {
            Limit(Registrations, 30);
            Limit(ResetMails, 10);
            Limit(Tokens, 600);

            void Limit(string name, int usual)
            {
                var most = configuration.GetValue($"CaveComm:Limits:{name}", usual);
                options.AddPolicy(name, http => RateLimitPartition.GetFixedWindowLimiter(
                    GuessLimits.AddressOf(http), _ => new FixedWindowRateLimiterOptions { PermitLimit = most, Window = Window, QueueLimit = 0 }));
            }
        });
    }

    private static async ValueTask Refuse(OnRejectedContext context, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var wait = context.Lease.TryGetMetadata(MetadataName.RetryAfter, out var left) ? left : Window;
        await Problems.TooMany(context.HttpContext, "That was asked too often from here.", wait).ExecuteAsync(context.HttpContext);
    }
}
