using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace CaveComm.EventStore;

/// <summary>Numbers for advisory locks: the same for a name in every process.</summary>
internal static class StableHash
{
    public static long Of(string name) => BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
}
