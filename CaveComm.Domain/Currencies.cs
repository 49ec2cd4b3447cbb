namespace CaveComm.Domain;

/// <summary>The currencies that a price can be in, with their decimal places (ISO 4217; BTC counts satoshi).</summary>
public static class Currencies
{
    private const string TwoDigits =
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK "
        + "DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK "
        + "LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON "
        + "RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST "
        + "XCD YER ZAR ZMW";

    private static readonly Dictionary<string, int> DigitsByCode = Table();

    public static bool IsKnown(string code) => DigitsByCode.ContainsKey(code);

    /// <summary>Decimal places of a known currency.</summary>
    public static int Digits(string code) => DigitsByCode.TryGetValue(code, out var digits)
        ? digits
        : throw new ArgumentException($"'{code}' is no currency that CaveComm knows.", nameof(code));

    private static Dictionary<string, int> Table()
    {
        var table = new Dictionary<string, int>(StringComparer.Ordinal) { ["BTC"] = 8 };
        Add(0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF");
        Add(2, TwoDigits);
        Add(3, "BHD IQD JOD KWD LYD OMR TND");
        return table;

        void Add(int digits, string codes)
        {
            foreach (var code in codes.Split(' '))
            {
                table.Add(code, digits);
            }
        }
    }
}
