using CaveComm.Domain.Delivery;
using CaveComm.Domain.Notifications;
using CaveComm.Domain.Payments;
using CaveComm.Providers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Shouldly;

namespace CaveComm.Tests.Providers;

public sealed class ProviderSettingsTests
{
    private static readonly (string Key, string Value)[] Whole =
    [
        ("Stripe:ApiKey", "sk_test_1"), ("Stripe:WebhookSecrets", "whsec_a, whsec_b"), ("BTCPay:Url", "https://pay.example/btcpay"), ("BTCPay:ApiKey", "key"),
        ("BTCPay:StoreId", "9kDn"), ("BTCPay:WebhookSecrets:0", "c"), ("BTCPay:WebhookSecrets:1", "d"), ("Smtp:Host", "mail.example"),
        ("Smtp:From", "office@cave.example"), ("Storage:Path", "/srv/files"),
    ];

    [Fact]
    public void A_whole_configuration_misses_nothing()
    {
        var settings = Read(Whole);

        settings.Missing.ShouldBeEmpty();
        settings.Stripe!.ApiBase.ShouldBe(new Uri("https://api.stripe.com"));
        settings.Stripe.WebhookSecrets.ShouldBe(["whsec_a", "whsec_b"]);
        settings.BtcPay!.WebhookSecrets.ShouldBe(["c", "d"]);
        settings.Smtp!.Port.ShouldBe(587);
        settings.Smtp.Security.ShouldBe(SmtpSecurity.StartTls);
    }

    [Fact]
    public void Everything_that_is_missing_or_wrong_is_told_at_once_and_without_values()
    {
        var settings = Read(
            ("Stripe:ApiBase", "ftp://x"), ("BTCPay:Url", "https://pay.example"), ("BTCPay:ApiKey", "very-secret"), ("BTCPay:InvoiceExpirationMinutes", "-1"),
            ("Smtp:Host", "mail"), ("Smtp:From", "nobody"), ("Smtp:Security", "Tls99"));

        settings.Missing.Select(fault => fault.Split(' ')[0]).ShouldBe(
        [
            "Stripe:ApiKey", "Stripe:WebhookSecrets", "Stripe:ApiBase", "BTCPay:StoreId", "BTCPay:WebhookSecrets", "BTCPay:InvoiceExpirationMinutes",
            "Smtp:From", "Smtp:Security", "Storage:Path",
        ]);
        string.Concat(settings.Missing).ShouldNotContain("very-secret");
        (settings.Stripe, settings.BtcPay, settings.Smtp, settings.Storage).ShouldBe((null, null, null, null));
    }

    [Theory]
    [InlineData("127.0.0.1", null, SmtpSecurity.None)]
    [InlineData("127.0.0.1", "StartTls", SmtpSecurity.StartTls)]
    [InlineData("mail.example", null, SmtpSecurity.StartTls)]
    [InlineData("mail.example", "none", SmtpSecurity.None)]
    public void Mail_leaves_the_machine_encrypted_unless_it_is_said_otherwise(string host, string? security, SmtpSecurity used) =>
        Read(("Smtp:Host", host), ("Smtp:From", "office@cave.example"), ("Smtp:Security", security ?? "")).Smtp!.Security.ShouldBe(used);

    [Fact]
    public void Any_setting_may_stand_in_a_file()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, "from-file\nsecond\n");
        try
        {
            var settings = Read([
                .. Whole.Where(setting => setting.Key is not "Stripe:WebhookSecrets"), ("Stripe:WebhookSecrets_FILE", file), ("Smtp:Password_FILE", file),
            ]);

            settings.Stripe!.WebhookSecrets.ShouldBe(["from-file", "second"]);
            settings.Smtp!.Password.ShouldBe("from-file\nsecond");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_told_once() =>
        Read([.. Whole, ("Stripe:ApiKey", ""), ("Stripe:ApiKey_FILE", "/nowhere/key")]).Missing.ShouldHaveSingleItem().ShouldStartWith("Stripe:ApiKey_FILE");

    [Fact]
    public void A_provider_that_is_not_wanted_is_not_missed()
    {
        var settings = Read([.. Whole.Where(setting => !setting.Key.StartsWith("BTCPay")), ("BTCPay:Enabled", "false")]);

        settings.Missing.ShouldBeEmpty();
        settings.BtcPay.ShouldBeNull();
    }

    [Fact]
    public void Settings_written_to_a_log_show_no_secret()
    {
        var settings = Read(Whole);

        $"{settings.Stripe}{settings.BtcPay}{settings.Smtp}{settings}".ShouldNotContain("sk_test_1");
        $"{settings.Stripe}{settings.BtcPay}{settings.Smtp}{settings}".ShouldNotContain("whsec");
    }

    [Fact]
    public async Task In_production_the_start_fails_with_the_list()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var host = Host(Environments.Production, ("Stripe:ApiKey", "sk"));

        var failure = await Should.ThrowAsync<ProviderConfigurationException>(() => host.StartAsync(cancel));

        failure.Missing.Count.ShouldBe(8);
        failure.Message.ShouldContain("Stripe:WebhookSecrets");
    }

    [Fact]
    public async Task Elsewhere_what_is_not_configured_is_not_offered()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var host = Host(Environments.Development, ("Stripe:ApiKey", "sk"), ("Stripe:WebhookSecrets", "whsec"));
        await host.StartAsync(cancel);

        var providers = host.Services.GetRequiredService<IPaymentProviders>();

        providers.Names.ShouldBe(["stripe"]);
        providers.Find("stripe").ShouldNotBeNull().Name.ShouldBe("stripe");
        providers.Find("btcpay").ShouldBeNull();
        host.Services.GetServices<IWebhookReader>().Select(reader => reader.Provider).ShouldBe(["stripe", "btcpay"]);
        await Should.ThrowAsync<MailUnavailableException>(
            () => host.Services.GetRequiredService<IMailSender>().Send(new Mail("a", "a@b", null, "", "", ""), cancel));
        Should.Throw<ProviderConfigurationException>(() => host.Services.GetRequiredService<IFileStore>());
        await host.StopAsync(cancel);
    }

    [Fact]
    public void A_whole_configuration_offers_everything()
    {
        var folder = Directory.CreateTempSubdirectory("cavecomm-files-");
        using (var host = Host(Environments.Development, [.. Whole, ("Storage:Path", folder.FullName)]))
        {
            host.Services.GetRequiredService<IPaymentProviders>().Names.ShouldBe(["stripe", "btcpay"]);
            host.Services.GetRequiredService<IInvoiceLookup>().ShouldNotBeNull();
            host.Services.GetRequiredService<IFileStore>().ShouldNotBeNull();
            host.Services.GetRequiredService<IMailSender>().ShouldNotBeNull();
        }

        folder.Delete(recursive: true);
    }

    private static ProviderSettings Read(params (string Key, string Value)[] settings) => ProviderSettings.Read(Configuration(settings));

    private static IConfiguration Configuration((string Key, string Value)[] settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.GroupBy(setting => setting.Key).ToDictionary(group => group.Key, group => (string?)group.Last().Value))
        .Build();

    private static IHost Host(string environment, params (string Key, string Value)[] settings)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = environment });
        builder.Services.AddProviders(Configuration(settings));
        return builder.Build();
    }
}
