using System.Globalization;
using System.Net;
using CaveComm.Api.CommandLine.Lookalikes;

namespace CaveComm.Api.CommandLine.Up;

/// <summary>The local defaults, as configuration of the product. What the operator has configured is left out, so that it stands.</summary>
internal static class ProductSettings
{
    public static Dictionary<string, string?> Compose(
        OperatorConfiguration configuration, DataFolder data, Uri url, string? database, SandboxAddresses? sandbox, DemoAccounts? accounts)
    {
        var settings = new Dictionary<string, string?>(configuration.FromFiles)
        {
            ["urls"] = $"http://{new IPEndPoint(configuration.Listen, url.Port)}",
            ["CaveComm:DataPath"] = data.Path,
            ["CaveComm:Sandbox"] = sandbox is null ? "false" : "true",
        };
        if (database is not null)
        {
            settings["ConnectionStrings:CaveComm"] = database;
        }

        Default("CaveComm:PublicUrl", url.GetLeftPart(UriPartial.Authority));
        if (!configuration.Has("Storage:S3"))
        {
            Default("Storage:Path", data.Files);
        }

        // At the terminal only what somebody should act on; in Production the log is the product's own affair.
        if (!OperatorConfiguration.IsProduction)
        {
            Default("Logging:LogLevel:Default", "Warning");

            // It warns that keys are not encrypted at rest: they lie in the data folder, which is the owner's alone.
            Default("Logging:LogLevel:Microsoft.AspNetCore.DataProtection.KeyManagement", "Error");
            Default("Logging:Console:LogToStandardErrorThreshold", "Trace");
        }

        if (sandbox is not null)
        {
            // Whole groups: a real key must never be sent to a look-alike's address, nor the other way round.
            if (!configuration.Has("Stripe:ApiKey"))
            {
                settings["Stripe:ApiKey"] = sandbox.StripeApiKey;
                settings["Stripe:ApiBase"] = sandbox.StripeUrl;
                settings["Stripe:WebhookSecrets"] = sandbox.StripeWebhookSecret;
            }

            if (!configuration.Has("BTCPay:Url"))
            {
                settings["BTCPay:Url"] = sandbox.BtcPayUrl;
                settings["BTCPay:ApiKey"] = sandbox.BtcPayApiKey;
                settings["BTCPay:StoreId"] = sandbox.BtcPayStoreId;
                settings["BTCPay:WebhookSecrets"] = sandbox.BtcPayWebhookSecret;
            }

            if (!configuration.Has("Smtp:Host"))
            {
                settings["Smtp:Host"] = sandbox.SmtpHost;
                settings["Smtp:Port"] = sandbox.SmtpPort.ToString(CultureInfo.InvariantCulture);
                settings["Smtp:Security"] = "None";
                settings["Smtp:From"] = "CaveComm <office@cavecomm.example>";
            }
        }

        foreach (var (role, account) in accounts?.All ?? [])
        {
            settings[$"CaveComm:DemoAccounts:{role}:Handle"] = account.Handle;
            settings[$"CaveComm:DemoAccounts:{role}:Username"] = account.Username;
            settings[$"CaveComm:DemoAccounts:{role}:Password"] = account.Password;
        }

        return settings;

        void Default(string key, string value)
        {
            if (!configuration.Has(key))
            {
                settings[key] = value;
            }
        }
    }
}
