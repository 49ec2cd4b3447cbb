using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using CaveComm.Api;
using CaveComm.Api.Composition;
using CaveComm.Api.OAuth;
using CaveComm.Providers;
using Microsoft.Extensions.Configuration;
using Shouldly;

namespace CaveComm.Tests.Architecture;

/// <summary><c>docs/operating.md</c> names each setting that the product reads, and none that it does not.</summary>
public partial class SettingsTests
{
    private static readonly string Document = Read();

    /// <summary>Without the places in lists: <c>OAuth:Resources:0</c> is <c>OAuth:Resources</c>.</summary>
    private static readonly HashSet<string> Documented = [.. Name().Matches(Document).Select(it => ListPlace().Replace(it.Groups[1].Value, ""))];

    private static readonly HashSet<string> ReadByCode =
    [
        .. Literals(typeof(CaveCommOptions).Assembly).Where(it => SettingOrSection().IsMatch(it)).Select(it => it.TrimEnd(':')),
        .. Asked(configuration => ProviderSettings.Read(configuration)),
        .. Properties(typeof(CaveCommOptions), "CaveComm"),
        .. Properties(typeof(OAuthOptions), "OAuth"),
        $"ConnectionStrings:{KernelBackend.ConnectionName}",
        $"ConnectionStrings:{KernelBackend.DirectConnectionName}",
    ];

    [Fact]
    public void Every_setting_that_is_documented_is_read()
    {
        Documented.Count.ShouldBeGreaterThan(40, "the document is understood");
        Documented.Where(named => !ReadByCode.Any(read => named == read || named.StartsWith($"{read}:", StringComparison.Ordinal))).ShouldBeEmpty();
    }

    [Fact]
    public void Every_setting_that_is_read_is_documented() =>
        ReadByCode.Where(read => !Documented.Any(named => named == read || named.StartsWith($"{read}:", StringComparison.Ordinal) || read.StartsWith($"{named}:", StringComparison.Ordinal)))
            .ShouldBeEmpty();

    [Fact]
    public void Everything_that_a_configured_client_can_have_is_documented() =>
        Properties(typeof(ConfiguredClient), "").Where(it => !Document.Contains($"`{it.TrimStart(':')}`", StringComparison.Ordinal)
            && !Document.Contains($"`{it.TrimStart(':')}:{{n}}`", StringComparison.Ordinal)).ShouldBeEmpty();

    private static IEnumerable<string> Properties(Type options, string section) => options.GetProperties().Where(it => it.CanWrite).Select(it => $"{section}:{it.Name}");

    /// <summary>What is asked for where nothing is set; the same in a file is no setting of its own.</summary>
    private static IEnumerable<string> Asked(Action<IConfiguration> read)
    {
        var empty = new Noting();
        read(new ConfigurationRoot([empty]));
        return empty.Asked.Where(it => !it.EndsWith("_FILE", StringComparison.Ordinal));
    }

    private static IEnumerable<string> Literals(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        var metadata = file.GetMetadataReader();
        var literals = new List<string>();
        for (var at = MetadataTokens.UserStringHandle(1); !at.IsNil; at = metadata.GetNextHandle(at))
        {
            literals.Add(metadata.GetUserString(at));
        }

        return literals;
    }

    private static string Read()
    {
        using var document = new StreamReader(typeof(SettingsTests).Assembly.GetManifestResourceStream("operating.md")!);
        return document.ReadToEnd();
    }

    [GeneratedRegex("`((?:ConnectionStrings|CaveComm|Stripe|BTCPay|Smtp|Storage|OAuth|Oidc):[A-Za-z0-9{][^`\\s]*)`")]
    private static partial Regex Name();

    [GeneratedRegex("(:0|:\\{n\\}|:\u2026|:NAME)+:?$")]
    private static partial Regex ListPlace();

    [GeneratedRegex("^(CaveComm|Stripe|BTCPay|Smtp|Storage|OAuth|Oidc):[A-Za-z0-9:-]+$")]
    private static partial Regex SettingOrSection();

    private sealed class Noting : ConfigurationProvider
    {
        public List<string> Asked { get; } = [];

        public override bool TryGet(string key, out string? value)
        {
            Asked.Add(key);
            return base.TryGet(key, out value);
        }
    }
}
