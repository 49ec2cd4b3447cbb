using System.ComponentModel.DataAnnotations;

namespace CaveComm.Api;

/// <summary>Configuration section <c>CaveComm</c>.</summary>
public sealed class CaveCommOptions
{
    /// <summary>Where customers reach this installation; links in mails begin with it.</summary>
    [Required]
    public Uri PublicUrl { get; set; } = new("http://127.0.0.1:8080/");

    /// <summary>What the platform keeps of each payout, in 1/100 of a percent.</summary>
    [Range(0, 10_000)]
    public int PlatformFeeBasisPoints { get; set; }

    /// <summary>Where keys live; files too, unless <c>Storage:Path</c> says otherwise.</summary>
    [Required]
    public string DataPath { get; set; } = "./.cavecomm";

    /// <summary>Run against the look-alikes, with demo accounts. Refused in Production.</summary>
    public bool Sandbox { get; set; }
}
